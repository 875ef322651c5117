// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"cmp"
	"fmt"
)

// gap is what has to be told, by EventResumed, when records can be kept again.
type gap struct {
	open bool
	why  string
	// from and to are the sequences of records that are in the trail although
	// their writing was reported as failed; 0 for none.
	from, to uint64
	// lost is how many records are not, although what they tell of went on.
	lost uint64
}

// unconfirmed adds records up to a sequence.
func (g *gap) unconfirmed(from, to uint64) {
	g.from, g.to = cmp.Or(g.from, from), to
}

// told takes away what a record that is in the trail now has told.
func (g *gap) told(what gap) { *g = gap{lost: g.lost - what.lost} }

// record tells of the gap.
func (g *gap) record() Record {
	message := "records can be kept again; before: " + g.why
	if g.lost > 0 {
		message = fmt.Sprintf("%s; %d records are lost, and what they tell of went on", message, g.lost)
	}
	if g.from > 0 {
		message = fmt.Sprintf("%s; what the records %d to %d tell of may not have happened", message, g.from, g.to)
	}
	record := Record{Event: EventResumed, Message: message}
	if g.from > 0 || g.lost > 0 {
		record.Journal = &Journal{UnconfirmedFrom: g.from, UnconfirmedTo: g.to, Lost: g.lost}
	}
	return record
}
