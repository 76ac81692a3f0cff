import { JavaScriptDataPlane } from '../../src/native/javascript-data-plane.ts';
import { describeDataPlane } from './data-plane-conformance.ts';

describeDataPlane('the JavaScript data plane', () => new JavaScriptDataPlane());
