// SPDX-License-Identifier: Apache-2.0

package story

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"slices"

	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/canonical"
	"github.com/ow-kai/ascend-operator/internal/trail"
)

// Which action is looked for.
type Which struct {
	// Name of the action, or its uid.
	Name string
	// Namespace it has to be in; empty for any.
	Namespace string
}

func (w Which) is(r *audit.Record) bool {
	if r.Kind != "" || w.Name == "" {
		return false
	}
	return (r.Name == w.Name || r.UID == w.Name) && (w.Namespace == "" || r.Namespace == w.Namespace)
}

// Story is all that the trail has of one action.
type Story struct {
	Namespace, Name string
	// UID is empty for what was refused before there was an action.
	UID string
	// Entries in their order.
	Entries []*Entry
}

// Entry is a record of a story.
type Entry struct {
	*audit.Record
	// File and Number of the line.
	File   string
	Number int
	// Line is the record as it was read.
	Line []byte
	// Changed: the hash is not that of the record.
	Changed bool
	// Apart: the record before it in the trail's chain, or after it, is not the one
	// that it is chained to. Nothing is said of the ends of what was read.
	Apart bool
}

// Gather reads all lines and returns the stories of the actions that are meant: one
// for each uid, in the order of their first records. Lines that are no records are
// counted. It keeps those records, and one hash a chain; it fails as lines does.
func Gather(lines iter.Seq2[trail.Line, error], which Which) (stories []*Story, unread int, err error) {
	g := &gatherer{which: which, ends: map[string]*end{}, stories: map[[2]string]*Story{}}
	for line, err := range lines {
		if err != nil {
			return nil, g.unread, err
		}
		g.add(line)
	}
	for _, story := range g.stories {
		story.Entries = inOrder(story.Entries)
		stories = append(stories, story)
	}
	slices.SortFunc(stories, func(a, b *Story) int {
		return cmp.Or(a.Entries[0].Time.Compare(b.Entries[0].Time), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.UID, b.UID))
	})
	return stories, g.unread, nil
}

// inOrder puts the records of each chain in their order, in which the clock may have
// been put back, and those of several chains in the order of their times.
func inOrder(entries []*Entry) []*Entry {
	chains := map[string][]*Entry{}
	var names []string
	for _, entry := range entries {
		if chains[entry.Chain] == nil {
			names = append(names, entry.Chain)
		}
		chains[entry.Chain] = append(chains[entry.Chain], entry)
	}
	for _, chain := range chains {
		slices.SortStableFunc(chain, func(a, b *Entry) int { return cmp.Compare(a.Sequence, b.Sequence) })
	}
	ordered := make([]*Entry, 0, len(entries))
	for len(names) > 0 {
		next := 0
		for i, name := range names {
			if chains[name][0].Time.Before(chains[names[next]][0].Time) {
				next = i
			}
		}
		name := names[next]
		ordered = append(ordered, chains[name][0])
		if chains[name] = chains[name][1:]; len(chains[name]) == 0 {
			names = slices.Delete(names, next, next+1)
		}
	}
	return ordered
}

type gatherer struct {
	which   Which
	ends    map[string]*end
	stories map[[2]string]*Story // by namespace and uid
	unread  int
}

// end is the last record of a chain that was read.
type end struct {
	hash  string
	entry *Entry // where it is one of a story
}

func (g *gatherer) add(line trail.Line) {
	r, err := line.Record()
	if err != nil {
		g.unread++
		return
	}
	before := g.ends[r.Chain]
	follows := before == nil || before.hash == r.PreviousHash
	if !follows && before.entry != nil {
		before.entry.Apart = true
	}
	now := &end{hash: r.Hash}
	g.ends[r.Chain] = now
	if !g.which.is(r) {
		return
	}
	entry := &Entry{Record: r, File: line.File, Number: line.Number, Line: slices.Clone(line.Raw), Changed: changed(line.Raw, r.Hash), Apart: !follows}
	now.entry = entry
	key := [2]string{r.Namespace, r.UID}
	story := g.stories[key]
	if story == nil {
		story = &Story{Namespace: r.Namespace, Name: r.Name, UID: r.UID}
		g.stories[key] = story
	}
	story.Entries = append(story.Entries, entry)
}

// changed says whether a line is another than the one that was hashed. The line is
// held to its one spelling, as by trail.Verify: of a key that stands twice, what is
// hashed may be one value and what is shown another.
func changed(line []byte, hash string) bool {
	var scanner canonical.Scanner
	text, err := scanner.Object(line, "hash")
	if err != nil {
		return true
	}
	sum := sha256.Sum256(text)
	return hash != "sha256:"+hex.EncodeToString(sum[:])
}
