// SPDX-License-Identifier: Apache-2.0

package approval

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Chain is the workflows that an action has to pass, one after the other. It is
// never changed. The zero Chain has none, and evaluates as if one person who
// holds the verb approve had to agree: a caller that forgets to ask Empty
// approves nothing by it.
type Chain struct {
	workflows []*Workflow
	stages    []link
	revision  string
}

// link is a stage in its place in a chain.
type link struct {
	*stage
	id       string
	workflow int // index into Chain.workflows
}

// NewChain puts workflows into the order in which they are passed: global ones
// first, then by namespace and name. One that comes twice is passed once; those
// that approve by themselves, and nil, are left out.
func NewChain(workflows []*Workflow) Chain {
	kept := slices.DeleteFunc(slices.Clone(workflows), func(w *Workflow) bool { return w == nil || w.autoApprove })
	slices.SortStableFunc(kept, func(a, b *Workflow) int {
		return cmp.Or(a.key.Compare(b.key), cmp.Compare(a.revision, b.revision))
	})
	kept = slices.CompactFunc(kept, func(a, b *Workflow) bool { return a.key == b.key && a.revision == b.revision })
	c := Chain{workflows: kept, revision: chainRevision(kept)}
	for i, w := range kept {
		for j := range w.stages {
			c.stages = append(c.stages, link{stage: &w.stages[j], workflow: i})
		}
	}
	c.nameStages()
	return c
}

// chainRevision is a digest over the workflows in their order; "" where one of
// them has none, and then no approval counts.
func chainRevision(workflows []*Workflow) string {
	sum := sha256.New()
	for _, w := range workflows {
		if w.revision == "" {
			return ""
		}
		fmt.Fprintf(sum, "%q %s\n", w.key.String(), w.revision)
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil))
}

// nameStages gives each stage the id that approvals name: its own name where that
// is unique in the chain, otherwise namespace/workflow/stage.
func (c *Chain) nameStages() {
	times := map[string]int{"": 2, v1alpha1.OverrideStage: 2} // never ids of their own
	for _, l := range c.stages {
		times[l.name]++
	}
	taken := map[string]bool{}
	for i := range c.stages {
		l := &c.stages[i]
		id := l.name
		if times[id] > 1 {
			id = c.workflows[l.workflow].key.String() + "/" + id
		}
		id = shorten(id)
		for n := 2; taken[id]; n++ { // only where a workflow has two stages of one name
			id = shorten(id + "#" + strconv.Itoa(n))
		}
		taken[id] = true
		l.id = id
	}
}

const (
	// maxStage is the schema's bound of a stage in an approval, in characters.
	maxStage = 256
	// roundLayout is how a round is written behind the id of a stage.
	roundLayout = "@2006-01-02T15:04:05.000000Z"
)

// shorten keeps an id within bounds, with room for a round: a digest takes the
// place of its middle.
func shorten(id string) string {
	const limit, digits = maxStage - len(roundLayout), 12
	if utf8.RuneCountInString(id) <= limit {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	runes := []rune(id)
	tail := runes[len(runes)-limit/2:]
	head := runes[:limit-len(tail)-digits-2]
	return string(head) + "~" + hex.EncodeToString(sum[:])[:digits] + "~" + string(tail)
}

// inRound is the id of a stage for those who named the stage in an earlier round
// already. A list of approvals has one entry a person and stage, for ever, so
// that when workflows change and earlier approvals become void, only another id
// lets the same people approve again. Both ids are the same stage.
func inRound(id string, requestedAt time.Time) string { return id + requestedAt.Format(roundLayout) }

// plainID is the id without its round, where that has begun at requestedAt or is
// a later moment in it: see Anew.
func plainID(id string, requestedAt time.Time) string {
	at := len(id) - len(roundLayout)
	if at < 0 {
		return id
	}
	moment, err := time.Parse(roundLayout, id[at:])
	if err != nil || moment.Before(requestedAt) {
		return id
	}
	return id[:at]
}

// find returns the index of the stage that an approval of this round names, or -1.
func (c Chain) find(id string, requestedAt time.Time) int {
	base := plainID(id, requestedAt)
	return slices.IndexFunc(c.stages, func(l link) bool { return l.id == base })
}

// Empty says whether no human has to see the action.
func (c Chain) Empty() bool { return len(c.workflows) == 0 }

// Revision is a digest over the workflows. An approval given under another one is
// void.
func (c Chain) Revision() string { return c.revision }

// Workflows in the order in which they have to be passed. They must not be changed.
func (c Chain) Workflows() []*Workflow { return slices.Clone(c.workflows) }

// Stages are the ids of all stages in their order, as approvals name them.
func (c Chain) Stages() []string {
	ids := make([]string, len(c.stages))
	for i, l := range c.stages {
		ids[i] = l.id
	}
	return ids
}

// MissingWorkflows are the workflows that are referred to but do not exist.
func (c Chain) MissingWorkflows() []Key {
	var out []Key
	for _, w := range c.workflows {
		if w.missing && w.key != (Key{}) {
			out = append(out, w.key)
		}
	}
	return out
}

// ValidFor is the shortest approvalValidity of the workflows, or the default
// where there is none.
func (c Chain) ValidFor() time.Duration {
	if c.Empty() {
		return DefaultValidity
	}
	shortest := c.workflows[0].validity
	for _, w := range c.workflows[1:] {
		shortest = min(shortest, w.validity)
	}
	return shortest
}
