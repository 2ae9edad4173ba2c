export interface RolloutActivities {
  rollOut(region: string, why: string): Promise<string>;
}

export const activities: RolloutActivities = {
  rollOut: async (region, why) => {
    const done = `${region} has the new version (${why})`;
    console.log(done);
    return done;
  },
};
