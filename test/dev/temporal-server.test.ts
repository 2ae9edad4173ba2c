import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { setupSearchAttributes } from '../../src/clients/search-attribute-setup';
import { startTemporalServer, type TemporalServer } from '../../src/dev/temporal-server';

const NAMES = ['DeploymentId', 'DeploymentStage', 'DecisionOutcome', 'PauseReason', 'PolicyRevision'];
const { IndexedValueType } = temporal.api.enums.v1;

describe('the Temporal dev server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gate-temporal-'));
  const logFile = join(folder, 'temporal.log');
  const dbFile = join(folder, 'temporal.db');
  let server: TemporalServer;
  beforeAll(async () => {
    server = await startTemporalServer({ logFile, dbFile, searchAttributes: [] });
  });
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const connected = async <T>(use: (connection: Connection) => Promise<T>): Promise<T> => {
    const connection = await Connection.connect({ address: server.address });
    try {
      return await use(connection);
    } finally {
      await connection.close();
    }
  };

  it('the setup creates the missing search attributes, and none when run again', async () => {
    await connected(async (connection) => {
      expect(await setupSearchAttributes(connection, 'default')).toEqual({ created: NAMES, existing: [] });
      expect(await setupSearchAttributes(connection, 'default')).toEqual({ created: [], existing: NAMES });
    });
  });

  it('the Temporal dev server serves its user interface on loopback', async () => {
    expect((await fetch(server.uiUrl)).status).toBe(200);
  });

  it('the Temporal dev server refuses ports that are taken, with what the server said', async () => {
    const second = startTemporalServer({ logFile: join(folder, 'second.log'), ports: server.ports });
    await expect(second).rejects.toThrow(/ended before it answered at \S+: .*address already in use/);
  });

  it('the Temporal dev server starts again on its ports and database file with the workflows from before', async () => {
    await connected((connection) =>
      new Client({ connection }).workflow.start('deployment', { taskQueue: 'nobody', workflowId: 'deployment/d1' }),
    );
    const { ports, address } = server;
    await server.stop();
    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
    server = await startTemporalServer({ logFile, dbFile, ports });
    expect(server.address).toBe(address);
    await connected(async (connection) => {
      const description = await new Client({ connection }).workflow.getHandle('deployment/d1').describe();
      expect(description.status.name).toBe('RUNNING');
    });
    await server.stop();
    await server.stop();
    expect(readFileSync(logFile, 'utf8')).not.toContain('panic');
  });
});

describe('setting up search attributes', () => {
  it('the setup names every attribute of another type and creates nothing', async () => {
    let added = 0;
    const customAttributes = {
      DeploymentId: IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
      PauseReason: IndexedValueType.INDEXED_VALUE_TYPE_INT,
      DecisionOutcome: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    };
    const operatorService = {
      listSearchAttributes: () => Promise.resolve({ customAttributes }),
      addSearchAttributes: () => Promise.resolve(added++),
    };
    const connection = { operatorService } as unknown as Connection;
    await expect(setupSearchAttributes(connection, 'production')).rejects.toThrow(
      /namespace production .* DeploymentId is Text, PauseReason is Int/,
    );
    expect(added).toBe(0);
  });
});
