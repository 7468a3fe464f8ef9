/** The extension's icon: three steps, joined. */

import { LabIcon } from '@jupyterlab/ui-components';

export const nbflowIcon = new LabIcon({
  name: 'nbflow:flow',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <rect x="2" y="4" width="8" height="5" rx="1.5"/>
    <rect x="8" y="10" width="8" height="5" rx="1.5"/>
    <rect x="14" y="16" width="8" height="5" rx="1.5"/>
    <path d="M4 10h1.6v2.2H7v1.6H4zM10 16h1.6v2.2H13v1.6h-3z"/>
  </g>
</svg>`
});
