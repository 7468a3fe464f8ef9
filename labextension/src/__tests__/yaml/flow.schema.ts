/** A small flow schema with every construction the server's may use. */

const type = (name: string, ...aliases: string[]) => ({ const: name, 'x-aliases': aliases });

export const LOG = 'io.kestra.plugin.core.log.Log';
export const IF = 'io.kestra.plugin.core.flow.If';
export const SCHEDULE = 'io.kestra.plugin.core.trigger.Schedule';

export const schema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  required: ['id', 'namespace', 'tasks'],
  properties: {
    description: { type: 'string' },
    namespace: { type: 'string', description: 'Where the flow lives.' },
    id: { type: 'string', title: 'Flow id' },
    disabled: { type: 'boolean', default: false },
    labels: { oneOf: [{ type: 'array', items: { type: 'object' } }, { type: 'object' }] },
    variables: { type: 'object' },
    inputs: {
      type: 'array',
      items: {
        oneOf: [{ $ref: '#/definitions/StringInput' }, { $ref: '#/definitions/SelectInput' }]
      }
    },
    tasks: { type: 'array', items: { $ref: '#/definitions/AnyTask' } },
    errors: { type: 'array', items: { $ref: '#/definitions/AnyTask' } },
    triggers: {
      type: 'array',
      items: { anyOf: [{ $ref: `#/definitions/${SCHEDULE}` }] }
    }
  },
  definitions: {
    AnyTask: {
      anyOf: [{ $ref: `#/definitions/${LOG}` }, { $ref: `#/definitions/${IF}` }]
    },
    TaskBase: {
      properties: {
        id: { type: 'string' },
        disabled: { type: 'boolean' },
        retry: { anyOf: [{ $ref: '#/definitions/Constant' }, { $ref: '#/definitions/Backoff' }] }
      },
      required: ['id', 'type']
    },
    [LOG]: {
      title: 'Log a message',
      description: 'Writes to the log.',
      allOf: [{ $ref: '#/definitions/TaskBase' }],
      properties: {
        type: type(LOG, 'log', 'io.kestra.core.tasks.log.Log'),
        message: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
        level: { enum: ['ERROR', 'WARN', 'INFO'], description: 'How loud.' }
      },
      required: ['message']
    },
    [IF]: {
      allOf: [{ $ref: '#/definitions/TaskBase' }],
      properties: {
        type: type(IF, 'if'),
        condition: { type: 'string' },
        then: { type: 'array', items: { $ref: '#/definitions/AnyTask' } },
        cases: {
          type: 'object',
          additionalProperties: { type: 'array', items: { $ref: '#/definitions/AnyTask' } }
        }
      },
      required: ['condition', 'then']
    },
    [SCHEDULE]: {
      properties: { id: {}, type: type(SCHEDULE, 'schedule'), cron: { type: 'string' } }
    },
    Constant: {
      properties: { type: { const: 'constant' }, interval: { type: 'string' } }
    },
    Backoff: {
      properties: { type: { const: 'exponential' }, maxInterval: { type: 'string' } }
    },
    StringInput: {
      properties: { id: {}, type: { enum: ['STRING'] }, defaults: {}, validator: {} }
    },
    SelectInput: {
      properties: { id: {}, type: { enum: ['SELECT'] }, values: { type: 'array', items: {} } }
    },
    Endless: { $ref: '#/definitions/Endless' }
  }
};
