// SPDX-License-Identifier: Apache-2.0

package ratelimit

import "time"

const (
	// Remembered is how long, at least, the name of a counted submission is
	// known again, unless NamesKept others have come since.
	Remembered = time.Minute
	// NamesKept is how many names of an agent are known again at least. Twice as
	// many are kept at most.
	NamesKept = 4096
	// namesReused is the size up to which a map of names is kept for reuse.
	namesReused = 256
)

// names are hashes of the names of submissions that were counted, in two
// generations, the older of which is forgotten at once. The value says whether
// the watch has brought the submission.
type names struct {
	young, old map[uint64]bool
	// since is when the young generation began.
	since int64
}

// age forgets what is older than Remembered.
func (n *names) age(now int64) {
	switch age := now - n.since; {
	case age < 0: // the clock was set back
		n.since = now
	case age >= 2*int64(Remembered):
		n.turn(now)
		n.turn(now)
	case age >= int64(Remembered):
		n.turn(now)
	}
}

// turn forgets the old generation and begins a young one.
func (n *names) turn(now int64) {
	n.young, n.old, n.since = n.old, n.young, now
	if len(n.young) > namesReused {
		n.young = nil
	}
	clear(n.young)
}

// find says whether a name is known, and whether the watch has brought it.
func (n *names) find(name uint64) (seen, known bool) {
	if seen, known = n.young[name]; known {
		return seen, true
	}
	seen, known = n.old[name]
	return seen, known
}

// keep remembers a name.
func (n *names) keep(name uint64, seen bool) {
	if len(n.young) >= NamesKept {
		n.turn(n.since)
	}
	if n.young == nil {
		n.young = map[uint64]bool{}
	}
	n.young[name] = seen
}
