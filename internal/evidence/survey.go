// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/auditexport"
	"github.com/ow-kai/ascend-operator/internal/trail"
)

// survey is what has to be known of the whole trail before the first record can be
// put where it belongs.
type survey struct {
	framework Framework
	// of are the controls that an action is under: those that any of its records
	// names. A trail has few different lists, which are kept once.
	of    map[string][]string
	lists map[string][]string
	// recorded are the verdicts of the period that have a record of their own.
	recorded map[given]bool

	controls   map[string]bool
	frameworks map[string]bool
	chains     map[string]*Chain
	newest     map[string]uint64 // the highest sequence of each chain
	files      []string
	records    int
	unread     int
}

// Chain is a part of the trail that one process has written.
type Chain struct {
	Chain   string    `json:"chain"`
	Replica string    `json:"replica,omitempty"`
	Begin   time.Time `json:"begin"`
	End     time.Time `json:"end"`
	Records int       `json:"records"`
	First   uint64    `json:"firstSequence"`
	Last    uint64    `json:"lastSequence"`
	// FirstHash and LastHash are the hashes of these two records.
	FirstHash string `json:"firstHash"`
	LastHash  string `json:"lastHash"`
	// Closed: the chain was ended in order.
	Closed bool `json:"closed"`
}

// given is a verdict of somebody about an action in a stage.
type given struct{ action, who, stage string }

func surveyOf(options *Options, lines iter.Seq2[trail.Line, error]) (*survey, error) {
	s := &survey{
		framework: options.Framework, of: map[string][]string{}, lists: map[string][]string{}, recorded: map[given]bool{},
		controls: map[string]bool{}, frameworks: map[string]bool{}, chains: map[string]*Chain{}, newest: map[string]uint64{},
	}
	for line, err := range lines {
		if err != nil {
			return nil, err
		}
		if n := len(s.files); n == 0 || s.files[n-1] != line.File {
			s.files = append(s.files, line.File)
		}
		r, err := line.Record()
		if err != nil {
			s.unread++
			continue
		}
		if options.Verification.isBefore(r) {
			continue
		}
		s.newest[r.Chain] = max(s.newest[r.Chain], r.Sequence)
		s.records++
		s.follow(r)
		s.note(r)
		if r.Event == audit.EventApprovalRecorded && options.Filter.Matches(r) {
			for _, said := range verdictsOf(r) {
				s.recorded[given{keyOf(r), said.Who, said.Stage}] = true
			}
		}
	}
	return s, nil
}

// isBefore says whether the chains were checked before the record was written.
func (v *Verification) isBefore(r *audit.Record) bool {
	return v != nil && v.Last != nil && r.Sequence > v.Last[r.Chain]
}

// follow keeps the two ends of each chain.
func (s *survey) follow(r *audit.Record) {
	chain := s.chains[r.Chain]
	if chain == nil {
		chain = &Chain{Chain: r.Chain, Begin: r.Time, First: r.Sequence, FirstHash: r.Hash}
		s.chains[r.Chain] = chain
	}
	if r.Event == audit.EventStarted && r.Journal != nil {
		chain.Replica = r.Journal.Replica
	}
	chain.End, chain.Last, chain.LastHash = r.Time, r.Sequence, r.Hash
	chain.Closed = r.Event == audit.EventStopped
	chain.Records++
}

// note keeps which controls an action is under.
func (s *survey) note(r *audit.Record) {
	var found []string
	for _, control := range r.Controls {
		name, _, _ := strings.Cut(control, ":")
		s.frameworks[name] = true
		if id, has := s.framework.Has(control); has {
			found = append(found, id)
			s.controls[id] = true
		}
	}
	if len(found) == 0 || !auditexport.IsAction(r) {
		return
	}
	key := keyOf(r)
	found = append(found, s.of[key]...)
	slices.Sort(found)
	s.of[key] = s.kept(slices.Compact(found))
}

func (s *survey) kept(list []string) []string {
	name := strings.Join(list, "\n")
	if s.lists[name] == nil {
		s.lists[name] = list
	}
	return s.lists[name]
}

// keyOf tells actions apart.
func keyOf(r *audit.Record) string {
	if r.UID != "" {
		return r.UID
	}
	return r.Namespace + "/" + r.Name
}

// controlsOf are the identifiers of the controls that a record is evidence for.
func (s *survey) controlsOf(r *audit.Record) []string {
	if auditexport.IsAction(r) {
		return s.of[keyOf(r)]
	}
	var found []string
	for _, control := range r.Controls {
		if id, has := s.framework.Has(control); has {
			found = append(found, id)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// heads are the chains in the order in which they begin.
func (s *survey) heads() []Chain {
	var chains []Chain
	for _, chain := range s.chains {
		chains = append(chains, *chain)
	}
	slices.SortFunc(chains, func(a, b Chain) int { return cmp.Or(a.Begin.Compare(b.Begin), cmp.Compare(a.Chain, b.Chain)) })
	return chains
}

// named are the frameworks that any record names.
func (s *survey) named() []string { return slices.Sorted(maps.Keys(s.frameworks)) }
