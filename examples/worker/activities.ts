export interface RolloutActivities {
  rollOut(region: string): Promise<string>;
}

export const activities: RolloutActivities = {
  rollOut: async (region) => `${region} has the new version`,
};
