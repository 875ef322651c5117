// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"cmp"
	"slices"
	"time"
)

// End says how it is known where a chain ends. A chain of which nothing says so may
// have had more records: whoever cuts off the last ones leaves nothing behind.
type End string

const (
	// EndAnchored says that an anchor is about the last record.
	EndAnchored End = "anchored"
	// EndStopped says that the last record is audit.stopped, after which nothing comes.
	EndStopped End = "stopped"
	// EndFollowed says that the chain that came after it in the same file tells where it ended.
	EndFollowed End = "followed"
	// EndUnproven says that nothing tells that it had no more records.
	EndUnproven End = "unproven"
)

// Report is what Verify has found.
type Report struct {
	// Lines that were read, and Records among them that are as they were written.
	Lines   int64 `json:"lines"`
	Records int64 `json:"records"`
	// Unfinished lines that a crash has left and a record explains; Others are lines
	// that are no records, and Repeated are records that came again, in a collected trail.
	Unfinished int64 `json:"unfinished,omitempty"`
	Others     int64 `json:"others,omitempty"`
	Repeated   int64 `json:"repeated,omitempty"`
	// Chains in the order in which they begin.
	Chains []*Chain `json:"chains"`
	// Faults in the order of the trail, at most MaxFaults of them; FaultsTotal counts all.
	Faults      []Fault `json:"faults"`
	FaultsTotal int     `json:"faultsTotal"`
	// Notes are what a reader should know and what is no fault.
	Notes []string `json:"notes,omitempty"`
	// Decisions is what came of the comparison with a cluster; nil where there was none.
	Decisions *Compared `json:"decisions,omitempty"`
}

// MaxFaults is how many faults a report lists.
const MaxFaults = 100

// Chain is what one process has written, as far as it was read.
type Chain struct {
	ID string `json:"chain"`
	// Replica that wrote it, and its Version; empty where its beginning is missing.
	Replica string `json:"replica,omitempty"`
	Version string `json:"version,omitempty"`
	// First and Last are sequences, Records how many records there are.
	First   uint64 `json:"first"`
	Last    uint64 `json:"last"`
	Records uint64 `json:"records"`
	// Begin and Until are the times of the first and last record, as it has them.
	Begin time.Time `json:"begin"`
	Until time.Time `json:"until"`
	// From and To are where they stand, as FILE:LINE.
	From string `json:"from"`
	To   string `json:"to"`
	// LastHash is that of the last record.
	LastHash string `json:"lastHash"`
	End      End    `json:"end"`
	// Signed is the sequence up to which a checkpoint was signed with a key that is
	// known, Anchored that of the last anchor that agrees and, where keys are known, is
	// signed with one of them; 0 for none.
	Signed   uint64 `json:"signed,omitempty"`
	Anchored uint64 `json:"anchored,omitempty"`
	// Checkpoints in it, and by UnknownKeys signed ones that could not be checked.
	Checkpoints int      `json:"checkpoints,omitempty"`
	UnknownKeys []string `json:"unknownKeys,omitempty"`
	// Unconfirmed records are in the trail although their writing was reported as
	// failed; Lost ones are not, although what they would have told of went on.
	Unconfirmed uint64 `json:"unconfirmed,omitempty"`
	Lost        uint64 `json:"lost,omitempty"`
	// Faults of this chain.
	Faults int `json:"faults,omitempty"`
}

// Fault is something in the trail that is not as the operator wrote it.
type Fault struct {
	// File and Line of it; empty where what is missing has no place.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Chain and Sequence of the record that stands there; empty where none does.
	Chain    string `json:"chain,omitempty"`
	Sequence uint64 `json:"sequence,omitempty"`
	// What is wrong, and what to do.
	What   string `json:"what"`
	Advice string `json:"advice"`

	place int64 // in the order of the trail
}

// Sound says whether nothing is wrong.
func (r *Report) Sound() bool { return r.FaultsTotal == 0 }

// First is the first fault in the order of the trail; nil when there is none.
func (r *Report) First() *Fault {
	if len(r.Faults) == 0 {
		return nil
	}
	return &r.Faults[0]
}

// add keeps the first MaxFaults faults in the order of the trail.
func (r *Report) add(fault Fault) {
	r.FaultsTotal++
	at, _ := slices.BinarySearchFunc(r.Faults, fault, func(have, want Fault) int {
		if have.place <= want.place {
			return -1
		}
		return cmp.Compare(have.place, want.place)
	})
	if at >= MaxFaults {
		return
	}
	r.Faults = slices.Insert(r.Faults, at, fault)
	r.Faults = r.Faults[:min(len(r.Faults), MaxFaults)]
}
