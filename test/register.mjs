// Lets Node load TypeScript, in this thread and in every worker thread started from it (given by --import).
import { register } from 'tsx/esm/api';

register();
