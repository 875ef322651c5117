// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"fmt"
	"sync"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// progress is a line on the terminal that says what is waited for, and how long
// that may still take. It is gone when the waiting is over. A nil progress shows
// nothing, as in a pipe.
type progress struct {
	session *session.Session

	mu     sync.Mutex
	action *v1alpha1.AgentAction
	trying error // the connection is lost
	shown  string
}

// newProgress is nil where nobody looks on.
func newProgress(s *session.Session) *progress {
	if !s.Screen.Terminal {
		return nil
	}
	return &progress{session: s}
}

// begin keeps the time that is left up to date, until what it returns is called.
func (p *progress) begin() (end func()) {
	if p == nil {
		return func() {}
	}
	over := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-over:
				return
			case <-ticker.C:
				p.draw()
			}
		}
	})
	return func() {
		close(over)
		done.Wait()
		p.clear()
	}
}

func (p *progress) show(action *v1alpha1.AgentAction) {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.action, p.trying = action, nil
	p.mu.Unlock()
	p.draw()
}

func (p *progress) lost(why error) {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.trying = why
	p.mu.Unlock()
	p.draw()
}

// eraseLine goes to the margin and erases what is behind it. Source: ECMA-48, EL.
const eraseLine = "\r\x1b[K"

func (p *progress) draw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.action == nil {
		return
	}
	text := waitingFor(p.action, p.session.Clock.Now())
	if p.trying != nil {
		text = "the connection is lost, trying again; last known: " + text
	}
	if width := p.session.Screen.Width; width > 0 {
		text = terminal.Cut(text, width-1) // the last column would begin another line
	}
	if text != p.shown {
		p.shown = text
		fmt.Fprint(p.session.Out, eraseLine, p.session.Style().Paint(terminal.Faint, text))
	}
}

func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown != "" {
		fmt.Fprint(p.session.Out, eraseLine)
	}
}

// waitingFor says what an action waits for, on one line.
func waitingFor(action *v1alpha1.AgentAction, now time.Time) string {
	name, approval := terminal.Safe(action.Name), action.Status.Approval
	switch {
	case action.Status.Decision == v1alpha1.DecisionNone:
		return name + " is being evaluated"
	case isDecided(action):
		return name + " is decided"
	case approval == nil || approval.Stage == "":
		return name + " waits"
	}
	text := name + " waits"
	if approval.Deadline != nil {
		text += ", " + terminal.Span(approval.Deadline.Sub(now)) + " left"
	}
	if len(approval.PendingApprovers) > 0 {
		text += ", for " + EntryList(approval.PendingApprovers)
	}
	text += "; " + StageWord(approval)
	return text
}
