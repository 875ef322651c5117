// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/canonical"
)

// trail is what the files of one log hold, checked.
type trail struct {
	records []audit.Record
	last    map[string]audit.Head // by chain
	order   []string              // chains
}

// names are how often each name stands in a record.
func (t *trail) names() map[string]int {
	found := map[string]int{}
	for i := range t.records {
		if name := t.records[i].Name; name != "" {
			found[name]++
		}
	}
	return found
}

// readTrail reads a file with those that were rotated out of it. It fails where a
// chain is not whole, does not begin with audit.started and the end of the one
// before, goes on after audit.stopped, or a line cannot be read that no record
// behind it speaks of.
func readTrail(path string) (*trail, error) {
	paths, err := audit.Rotated(path)
	if err != nil {
		return nil, err
	}
	t := &trail{last: map[string]audit.Head{}}
	unfinished := int64(0)
	for _, p := range append(paths, path) {
		text, err := os.ReadFile(p)
		if err != nil {
			return nil, err
		}
		for line := range bytes.Lines(text) {
			line = bytes.TrimSuffix(line, []byte{'\n'})
			var r audit.Record
			if json.Unmarshal(line, &r) != nil {
				if unfinished > 0 {
					return nil, fmt.Errorf("%s: two lines one after the other are no records: %q", p, line)
				}
				unfinished = int64(len(line))
				continue
			}
			if err := t.add(r, unfinished); err != nil {
				return nil, fmt.Errorf("%s: %w", p, err)
			}
			unfinished = 0
		}
	}
	if unfinished > 0 {
		return t, fmt.Errorf("the trail ends with a line of %d bytes that is no record", unfinished)
	}
	return t, nil
}

func (t *trail) add(r audit.Record, unfinished int64) error {
	told := int64(0)
	if r.Journal != nil {
		told = r.Journal.Unfinished
	}
	if told != unfinished {
		return fmt.Errorf("record %d of %s speaks of %d bytes, and there are %d", r.Sequence, r.Chain, told, unfinished)
	}
	bare := r
	bare.Hash = ""
	if hash, err := canonical.Digest(bare); err != nil || hash != r.Hash {
		return fmt.Errorf("record %d of %s has not the hash of its content (%w)", r.Sequence, r.Chain, err)
	}
	last, known := t.last[r.Chain]
	if r.Sequence != last.Sequence+1 || r.PreviousHash != last.Hash {
		return fmt.Errorf("record %d of %s does not follow record %d", r.Sequence, r.Chain, last.Sequence)
	}
	if !known {
		if err := t.begins(r); err != nil {
			return err
		}
	}
	if known && t.records[len(t.records)-1].Event == audit.EventStopped {
		return fmt.Errorf("record %d of %s comes after audit.stopped", r.Sequence, r.Chain)
	}
	t.last[r.Chain] = audit.Head{Chain: r.Chain, Sequence: r.Sequence, Hash: r.Hash}
	t.records = append(t.records, r)
	return nil
}

func (t *trail) begins(r audit.Record) error {
	if r.Event != audit.EventStarted {
		return fmt.Errorf("chain %s begins with %s", r.Chain, r.Event)
	}
	switch previous := r.Journal.Previous; {
	case len(t.order) == 0 && previous != nil:
		return fmt.Errorf("the first chain speaks of one before: %+v", *previous)
	case len(t.order) > 0 && (previous == nil || *previous != t.last[t.order[len(t.order)-1]]):
		return fmt.Errorf("chain %s speaks of %+v before it, and there is %+v", r.Chain, previous, t.last[t.order[len(t.order)-1]])
	}
	t.order = append(t.order, r.Chain)
	return nil
}
