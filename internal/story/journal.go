// SPDX-License-Identifier: Apache-2.0

package story

import (
	"fmt"
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// journals are the first words of what the trail tells of itself.
var journals = map[v1alpha1.EventType]func(*audit.Journal) string{
	audit.EventStarted:    started,
	audit.EventCheckpoint: signed,
	audit.EventStopped:    func(*audit.Journal) string { return "the chain ends in order" },
	audit.EventResumed:    func(*audit.Journal) string { return "records can be kept again" },
}

// journal says what the trail tells of itself.
func journal(r *audit.Record) string {
	j := r.Journal
	if j == nil {
		j = &audit.Journal{}
	}
	text := string(r.Event)
	if tell, known := journals[r.Event]; known {
		text = tell(j)
	}
	if j.Unfinished > 0 {
		text += fmt.Sprintf("; a line of %d bytes before was not finished", j.Unfinished)
	}
	if j.UnconfirmedTo > 0 {
		text += fmt.Sprintf("; records %d to %d were reported as failed and are there", j.UnconfirmedFrom, j.UnconfirmedTo)
	}
	if j.Lost > 0 {
		text += fmt.Sprintf("; %d records are LOST", j.Lost)
	}
	if strings.HasPrefix(text, r.Message) {
		return text
	}
	return text + ": " + r.Message
}

func started(j *audit.Journal) string {
	text := "a chain begins"
	if j.Replica != "" {
		text += " on " + j.Replica
	}
	if j.Version != "" {
		text += ", version " + j.Version
	}
	if j.Previous != nil {
		text += fmt.Sprintf(", after record %d of chain %s", j.Previous.Sequence, j.Previous.Chain)
	}
	return text
}

func signed(j *audit.Journal) string {
	text := "the chain up to here is signed"
	if c := j.Checkpoint; c != nil && c.KeyID != "" {
		text += " with key " + c.KeyID
	}
	return text
}
