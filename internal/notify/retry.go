// SPDX-License-Identifier: Apache-2.0

package notify

import "time"

// steps are the ages of an event at which a delivery that failed is tried again.
// Age counts from the time of the event, so that a restart of the operator
// neither starts the schedule anew nor forgets it.
var steps = [...]time.Duration{
	0, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 16 * time.Hour, lastTry,
}

// lastTry is the age at which a delivery is tried for the last time.
const lastTry = 24 * time.Hour

// jitter is how far from its step a try is, so that what failed together is not
// tried together. The last one is when it is said to be.
const jitter = 0.2

// nextTry is the age at which a delivery is tried again that failed at that age;
// false when it is given up. random is from 0 to below 1. The result is greater
// than the age and lastTry at most.
func nextTry(age time.Duration, random float64) (time.Duration, bool) {
	for _, step := range steps[1:] {
		earliest := time.Duration(float64(step) * (1 - jitter))
		if step == lastTry {
			earliest = lastTry
		}
		if earliest <= age {
			continue
		}
		if step == lastTry {
			return lastTry, true
		}
		return earliest + time.Duration(float64(step)*2*jitter*random), true
	}
	return 0, false
}

// startSpread is within what time those are tried that wait since before a
// start; freshness is the age from which on an event is not new.
const (
	startSpread = 10 * time.Second
	freshness   = 5 * time.Second
)

// firstTry is how long a delivery waits that was just added: a new one not at
// all, an old one for up to startSpread, for a start adds many of them.
func firstTry(age time.Duration, random float64) time.Duration {
	if age < freshness {
		return 0
	}
	return time.Duration(float64(startSpread) * random)
}

// A receiver is taken for dead after so many failures in a row. It is then
// probed with one delivery at a time, at these distances.
const (
	failuresToTrip = 3
	firstPause     = 5 * time.Second
	longestPause   = time.Minute
)

// pause is how long a receiver is left alone after so many failures in a row.
func pause(failures int) time.Duration {
	if failures < failuresToTrip {
		return 0
	}
	wait := firstPause
	for range min(failures-failuresToTrip, 8) {
		wait *= 2
	}
	return min(wait, longestPause)
}
