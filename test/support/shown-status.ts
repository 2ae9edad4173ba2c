/** What `gate status -o json` prints, as far as tests look into it. */
export interface ShownStatus {
  state: string;
  stage: string;
  stages: { name: string; state: string }[];
  pause?: { id: string; reason: string; recovered: boolean; faults: { message: string; fact_id?: string }[] };
  recheck?: { activity_id: string };
  pending_looks?: ShownLooks;
}

/** The looks of a recheck as Temporal has them. */
export interface ShownLooks {
  count: number;
  first_at?: string;
  release?: string;
}
