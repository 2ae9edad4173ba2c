# METADATA
# description: The deployment gate. A stage may start when no reason below holds.
package gate

# METADATA
# description: The decision document read by the worker.
# entrypoint: true
response := {"allow": allow, "deny_reasons": deny_reasons}

default allow := false

allow if count(deny_reasons) == 0

deny_reasons contains sprintf("pending_delta limit exceeded: current %v > configured %v", [current, limit]) if {
	current := input.pending_delta
	limit := data.config.limits.maxDelta
	current > limit
}

deny_reasons contains sprintf("max_pending limit exceeded: current %v > configured %v", [current, limit]) if {
	current := input.max_pending
	limit := data.config.limits.maxPending
	current > limit
}

deny_reasons contains sprintf("region_not_healthy: %s", [region]) if {
	some region, health in input.region_health
	health.status != "green"
}
