// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// table keeps what has to be known of every action until all is read: some
// hundred bytes each, and nothing of what was asked. Text that many actions share
// is kept once.
type table struct {
	mu      sync.Mutex
	index   map[key]*entry
	words   map[string]word
	texts   []string
	skipped map[string]int // what tells of no action
}

// key is the uid of an action: as bytes where it is a UUID, else a digest.
type key [16]byte

// word is the number of a text in the table; 0 is the empty one.
type word uint32

// entry is one action.
type entry struct {
	namespace, agent, actionType word
	name, resource               string

	recorded side // what was said; no decision while nothing is known
	saidAt   time.Time
	byPeople bool
	skip     word // why there is no recorded, until there is
	stopped  side // what was said when the Agent was stopped while people were asked

	asked         bool // a replay was made, or tried
	askedAt       time.Time
	askedSeq      int
	submitted     time.Time
	before, after side // before is only set where there is a baseline
	missing       word // why it was not replayed
}

// at is when the action was submitted, as far as that is known, otherwise when it
// was judged.
func (e *entry) at() time.Time {
	if e.submitted.IsZero() {
		return e.saidAt
	}
	return e.submitted
}

// side is a Verdict in the words of a table.
type side struct {
	decision  v1alpha1.Decision // one of three, so its text is shared
	score     int16             // in tenths; -1 is none
	reason    word
	message   word
	rules     word // lists are joined by newlines
	deciding  word
	factors   word
	workflows word
	revision  word
}

func newTable() *table {
	return &table{index: map[key]*entry{}, words: map[string]word{"": 0}, texts: []string{""}, skipped: map[string]int{}}
}

func keyOf(uid string) (k key) {
	if len(uid) == 36 {
		if _, err := hex.Decode(k[:], []byte(strings.ReplaceAll(uid, "-", ""))); err == nil && strings.Count(uid, "-") == 4 {
			return k
		}
	}
	sum := sha256.Sum256([]byte(uid))
	copy(k[:], sum[:])
	return k
}

// The most that is kept of texts, in bytes.
const (
	maxText = 512
	maxList = 16 << 10
)

// word keeps a text, cut to a limit. The lock must be held.
func (t *table) word(text string, limit int) word {
	text = clip(text, limit)
	if known, ok := t.words[text]; ok {
		return known
	}
	text = strings.Clone(text)
	w := word(len(t.texts)) //nolint:gosec // memory ends before 2^32 texts do
	t.texts = append(t.texts, text)
	t.words[text] = w
	return w
}

func (t *table) side(v *Verdict) side {
	s := side{
		decision:  v.Decision,
		score:     -1,
		reason:    t.word(v.Reason, maxText),
		message:   t.word(v.Message, maxText),
		rules:     t.word(strings.Join(v.Rules, "\n"), maxList),
		deciding:  t.word(v.DecidingRule, maxText),
		factors:   t.word(strings.Join(v.Factors, "\n"), maxList),
		workflows: t.word(strings.Join(v.Workflows, "\n"), maxList),
		revision:  t.word(v.ApprovalRevision, maxText),
	}
	if score, err := risk.ParseScore(v.Score); err == nil && v.Score != "" {
		s.score = int16(score) //nolint:gosec // 0 to 100
	}
	return s
}

// told takes in what a source tells.
func (t *table) told(p *Past) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.UID == "" {
		t.skipped[p.Skip]++
		return
	}
	k := keyOf(p.UID)
	e := t.index[k]
	if e == nil {
		e = &entry{
			namespace: t.word(p.Namespace, maxText), agent: t.word(p.Agent, maxText), actionType: t.word(p.ActionType, maxText),
			name: strings.Clone(clip(p.Name, maxText)), resource: strings.Clone(clip(p.Resource, maxText)),
		}
		t.index[k] = e
	}
	if p.Skip != "" {
		e.skip = t.word(p.Skip, maxText)
		return
	}
	t.say(e, p)
}

// say notes what was said, unless something was said later. Where people have
// spoken, the reason stays that of policy before, if it is known; where the Agent
// was stopped while they were asked, all stays as it was.
func (t *table) say(e *entry, p *Past) {
	said, known := t.side(&p.Said), e.recorded.decision != v1alpha1.DecisionNone
	older := known && p.Time.Before(e.saidAt)
	if known && t.sayStopped(e, p, said, older) {
		return
	}
	if older {
		if e.byPeople && !p.byPeople && said.decision == e.recorded.decision {
			e.byPeople, e.recorded.reason, e.recorded.message = false, said.reason, said.message
		}
		return
	}
	byPeople := p.byPeople
	if byPeople && known && !e.byPeople && said.decision == e.recorded.decision {
		byPeople, said.reason, said.message = false, e.recorded.reason, e.recorded.message
	}
	e.recorded, e.saidAt, e.byPeople = said, p.Time, byPeople
}

// sayStopped notes a verdict of an Agent that was stopped while people were asked,
// and what was said before; false where neither of the two is said.
func (t *table) sayStopped(e *entry, p *Past, said side, older bool) bool {
	switch {
	case older && said.decision == v1alpha1.DecisionPending && t.agentStopped(&e.recorded):
		e.stopped = e.recorded
		e.recorded, e.saidAt, e.byPeople = said, p.Time, p.byPeople
		return true
	case !older && e.recorded.decision == v1alpha1.DecisionPending && t.agentStopped(&said):
		e.stopped = said
		return true
	}
	return false
}

// agentStopped says whether a verdict is given because somebody has suspended,
// retired or deleted the Agent. That may be long after the action was submitted,
// and says nothing of what policy makes of it.
func (t *table) agentStopped(s *side) bool {
	if s.decision != v1alpha1.DecisionDenied {
		return false
	}
	switch t.text(s.reason) {
	case v1alpha1.ReasonAgentNotFound, v1alpha1.ReasonAgentSuspended, v1alpha1.ReasonAgentRetired, v1alpha1.ReasonAgentStateUnknown:
		return true
	}
	return false
}

// beforeOf is what a replay is compared with: what was recorded. Where the policy
// that is tried stops the Agent for the reason for which it was stopped, it is that.
func (t *table) beforeOf(e *entry) side {
	if e.stopped.reason != 0 && e.stopped.reason == e.after.reason {
		return e.stopped
	}
	return e.recorded
}

// replay is what came out of asking again.
type replay struct {
	submitted     time.Time
	resource      string // the first that the action names
	before, after Verdict
	missing       string
}

// replayed takes in a replay, unless there is one of a later request of the same
// uid; sequence is the place of the request in the source.
func (t *table) replayed(uid string, at time.Time, sequence int, r *replay) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.index[keyOf(uid)]
	if e.asked && (at.Before(e.askedAt) || at.Equal(e.askedAt) && sequence < e.askedSeq) {
		return
	}
	e.asked, e.askedAt, e.askedSeq = true, at, sequence
	e.submitted, e.missing = r.submitted, t.word(r.missing, maxText)
	if e.resource == "" {
		e.resource = strings.Clone(clip(r.resource, maxText))
	}
	if len(r.before.Factors) == 0 && e.recorded.factors == 0 {
		r.after.Factors = nil // there is nothing to compare them with
	}
	e.before, e.after = t.side(&r.before), t.side(&r.after)
}

func (t *table) text(w word) string { return t.texts[w] }

// list takes a joined list apart.
func (t *table) list(w word) []string {
	if w == 0 {
		return nil
	}
	return strings.Split(t.texts[w], "\n")
}

// clip shortens text to a number of bytes, never within a character.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const mark = "…"
	end := limit - len(mark)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + mark
}
