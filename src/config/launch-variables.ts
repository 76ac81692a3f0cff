/** The variables by which the launcher tells the camera what it is (commands/launch.ts); no keys of the configuration. */
import { environmentPrefix } from './options.ts';

/** The slot that it lies in. */
export const slotVariable = `${environmentPrefix}BOOT_SLOT`;

/** The version of what the device came with. */
export const factoryVersionVariable = `${environmentPrefix}FACTORY_VERSION`;
