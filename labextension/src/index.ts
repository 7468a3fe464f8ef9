/** The plugins of this extension. */

import { cells, completion } from './plugins/cells';
import { notebooks } from './plugins/notebooks';
import { panel } from './plugins/panel';
import { services } from './plugins/services';
import { views } from './plugins/views';

export default [services, cells, completion, notebooks, panel, views];
