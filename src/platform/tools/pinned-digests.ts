/**
 * SHA-256 of the publishers' files, by their names, which hold version and platform. A file that is not listed is not
 * downloaded unless its digest is given (`PLANNING_ENGINE_OPA_SHA256` and its like): who serves a file also serves its checksums.
 */
export const PINNED_DIGESTS: Readonly<Record<string, string>> = {
  'temporal_cli_1.5.1_linux_amd64.tar.gz': 'ddc95e08b0b076efd4ea9733a3f488eb7d2be875f8834e616cd2a37358b4852d',
  'temporal_cli_1.5.1_linux_arm64.tar.gz': 'bd1b0db9f18b051026de8bf6cc1505f2510f14bbb7a8b9a4a91fff46c77454f5',
  'temporal_cli_1.5.1_darwin_amd64.tar.gz': 'bbb73e2a31135abe50a1f1cdb35030c42961df618e8ce9c60ae89f201540c5d9',
  'temporal_cli_1.5.1_darwin_arm64.tar.gz': 'cca01b7ea35ad56e2a328d9ae596bf716bd22313ef63c7a761c88354457c2415',
  // Of crane 0.22.1: the name is the same for all versions, the digest is not.
  'go-containerregistry_Linux_x86_64.tar.gz': '0ab7a1d6932a213aed964ce97666c3077fe691c8606413674a8b3e0b9ec4cda0',
  'go-containerregistry_Linux_arm64.tar.gz': '898c0cff975f898a33e8c4580bdafb0e7c02c7faa33374e946762f97c4ab7110',
  'go-containerregistry_Darwin_x86_64.tar.gz': '6fedd06a648c11335f0e8b9547e4783002c30e9336047fec292942cd518bb799',
  'go-containerregistry_Darwin_arm64.tar.gz': '2231fc8df8806d20d680ff1225db44e095a55dd6ac1ae8eced4faf4b278b78fb',
  'versitygw_v1.8.0_Linux_x86_64.tar.gz': '2ba2c734d10d2c4e651d03182cb4b246656bc735a2f282db7b0b73fba6073467',
  'versitygw_v1.8.0_Linux_arm64.tar.gz': 'b34051d33f5a9c457f790896acb7bd7d7e15ad8d92efb70616b924f37e401910',
  'versitygw_v1.8.0_Darwin_x86_64.tar.gz': '104bd978e80ef0173554cfd8630ccc5bac24b00da440510b60365a3b6b6ab134',
  'versitygw_v1.8.0_Darwin_arm64.tar.gz': '4953096f65a9c0d62ab184fb6b2ba7c2435229205cf00a56cb62cd4bf6b216ca',
  'alertmanager-0.28.1.linux-amd64.tar.gz': '5ac7ab5e4b8ee5ce4d8fb0988f9cb275efcc3f181b4b408179fafee121693311',
  'alertmanager-0.28.1.linux-arm64.tar.gz': 'd8832540e5b9f613d2fd759e31d603173b9c61cc7bb5e3bc7ae2f12038b1ce4f',
};

/** The sums of Go modules as go.sum has them (https://go.dev/ref/mod#go-sum-files), by `path@version`. */
export const PINNED_MODULES: Readonly<Record<string, string>> = {
  'github.com/temporalio/cli@v1.5.1': 'h1:0RZMk14BWxz44Xg6ciDQvpfAMffoG3J7/K03ql80teY=',
  'github.com/open-policy-agent/opa@v1.22.2': 'h1:WzqReKk2VjcvBN/NQTlcIxKqFPKpzIdb6KYMHzPEbe0=',
  'github.com/google/go-containerregistry@v0.22.1': 'h1:RZuuSYhTvlDvtsK+NkutoCZ//C0X2ebLK8X8l3ULs84=',
  'github.com/versity/versitygw@v1.8.0': 'h1:au+wI+aybno/STsQiSm35Uu6Q6iK5MWReQxgO6SEMFc=',
  'github.com/prometheus/alertmanager@v0.28.1': 'h1:BK5pCoAtaKg01BYRUJhEDV1tqJMEtYBGzPw8QdvnnvA=',
  'github.com/fullstorydev/grpcurl@v1.9.3': 'h1:PC1Xi3w+JAvEE2Tg2Gf2RfVgPbf9+tbuQr1ZkyVU3jk=',
};
