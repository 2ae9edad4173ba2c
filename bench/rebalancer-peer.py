"""Balances a state file by Meta's Rebalancer: the load by qps, the room by replicas, one replica of each shard.

usage: rebalancer-peer.py STATE single|swap

Prints {"seconds", "assignment"} as the last line; the seconds are those of `solve` alone.
"""

import json
import sys
import time

from rebalancer import ProblemSolver

MOVES = {
    "single": [{"singleMoveTypeSpec": {}}],
    "swap": [{"singleMoveTypeSpec": {}}, {"swapMoveTypeSpec": {}}],
}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        state = json.load(file)
    nodes, shards = state["nodes"], state["shards"]
    held = {node["id"]: [] for node in nodes}
    for shard in shards:
        held[shard["replicas"][0]].append(shard["id"])

    solver = ProblemSolver(service_name="planning-engine", service_scope="bench")
    solver.set_log_level("ERR")
    solver.disable_solution_summary()
    solver.set_object_name("shard").set_container_name("node").set_assignment(held)
    solver.add_object_dimension("qps", {shard["id"]: float(shard["qps"]) for shard in shards})
    solver.add_object_dimension("replicas", {}, 1.0)
    solver.add_container_dimension("replicas", {node["id"]: float(node["capacity"]["shards"]) for node in nodes})
    solver.add_constraint({"capacitySpec": {"name": "room", "scope": "node", "dimension": "replicas"}})
    solver.add_goal({"balanceSpec": {"name": "even", "scope": "node", "dimension": "qps"}})
    solver.add_solver({"localSearchSolverSpec": {"moveTypeList": MOVES[sys.argv[2]]}})

    start = time.perf_counter()
    solution = solver.solve()
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "assignment": solution["assignment"]}))


main()
