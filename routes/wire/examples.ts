/** Values that the examples of several resources share. */

export const example = {
  digest: `sha256:${'4f'.repeat(32)}`,
  actor: { keyId: 'k7Qm2', label: 'Dana, on call' },
  at: '2026-01-31T09:30:00.000Z',
  styles: [
    { id: 'supportive', title: 'Supportive' },
    { id: 'direct', title: 'Direct' },
  ],
  texts: [
    { id: 'supportive', title: 'Supportive', text: 'Lead with what went well.' },
    { id: 'direct', title: 'Direct', text: 'Say the main point first.' },
  ],
  compatibility: {
    packFormat: 1,
    models: [{ provider: 'anthropic', family: 'claude' }],
    clients: [{ name: 'coach-web', range: '>=2.0.0 <4.0.0' }],
    locales: ['en'],
  },
};
