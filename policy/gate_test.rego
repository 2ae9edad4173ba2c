package gate_test

import data.gate

_limits := {"maxDelta": 500, "maxPending": 2000}

_facts := {
	"pending_delta": 100,
	"max_pending": 1000,
	"region_health": {"eu": {"status": "green"}, "us": {"status": "green"}},
}

_response(changes) := response if {
	response := gate.response with input as object.union(_facts, changes) with data.config.limits as _limits
}

test_allows_when_every_fact_is_within_its_limit if {
	_response({}) == {"allow": true, "deny_reasons": set()}
}

test_allows_at_the_limits if {
	_response({"pending_delta": 500, "max_pending": 2000}) == {"allow": true, "deny_reasons": set()}
}

test_denies_just_over_max_delta if {
	_response({"pending_delta": 501}) == {
		"allow": false,
		"deny_reasons": {"pending_delta limit exceeded: current 501 > configured 500"},
	}
}

test_denies_over_max_pending if {
	_response({"max_pending": 3100}) == {
		"allow": false,
		"deny_reasons": {"max_pending limit exceeded: current 3100 > configured 2000"},
	}
}

test_denies_for_each_region_that_is_not_green if {
	_response({"region_health": {"eu": {"status": "red"}, "us": {"status": "amber"}}}) == {
		"allow": false,
		"deny_reasons": {"region_not_healthy: eu", "region_not_healthy: us"},
	}
}

test_gives_all_reasons_together if {
	_response({"pending_delta": 501, "max_pending": 2001, "region_health": {"eu": {"status": "red"}}}) == {
		"allow": false,
		"deny_reasons": {
			"max_pending limit exceeded: current 2001 > configured 2000",
			"pending_delta limit exceeded: current 501 > configured 500",
			"region_not_healthy: eu",
		},
	}
}

# OPA alone allows an empty input: the host never lets one reach the policy.
test_relies_on_the_host_for_absent_facts if {
	gate.response == {"allow": true, "deny_reasons": set()} with input as {} with data.config.limits as _limits
}
