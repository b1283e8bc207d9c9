import t from 'tap';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import { storeSuite } from './store-suite.ts';

storeSuite(t, 'memory', async () => new MemoryStore());
