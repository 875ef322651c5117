// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// actionTable has the columns ID TYPE RISK DECISION TIME, with NAMESPACE before
// them under -A and more behind them under -o wide. None ever shrinks: the five
// are those of the tutorial, and who asks for more wants to see it whole.
type actionTable struct {
	*terminal.Table
	namespaces, wide bool
}

func newActionTable(s *session.Session, namespaces, wide bool) actionTable {
	var columns []terminal.Column
	if namespaces {
		columns = append(columns, terminal.Column{Header: "NAMESPACE"})
	}
	for _, header := range []string{"ID", "TYPE", "RISK", "DECISION", "TIME"} {
		columns = append(columns, terminal.Column{Header: header})
	}
	if wide {
		columns = append(columns, terminal.Column{Header: "AGENT"}, terminal.Column{Header: "SCORE"}, terminal.Column{Header: "REASON"},
			terminal.Column{Header: "STAGE"}, terminal.Column{Header: "REQUESTER"})
	}
	return actionTable{Table: s.Table(columns...), namespaces: namespaces, wide: wide}
}

func (t actionTable) add(r row, now time.Time) {
	var cells []terminal.Cell
	text := func(texts ...string) {
		for _, text := range texts {
			cells = append(cells, terminal.Cell{Text: text})
		}
	}
	if t.namespaces {
		text(r.namespace)
	}
	text(r.name, r.actionType, r.level)
	cells = append(cells, terminal.Cell{Text: r.decision, Role: r.role})
	text(terminal.Ago(now, r.at))
	if t.wide {
		text(r.agent, r.score, r.reason, r.stage, r.requester)
	}
	t.Row(cells...)
}

// waitingStage is the stage that a pending action waits in.
func waitingStage(action *v1alpha1.AgentAction) string {
	if action.Status.Decision != v1alpha1.DecisionPending || action.Status.Approval == nil {
		return ""
	}
	return action.Status.Approval.Stage
}

func requesterName(action *v1alpha1.AgentAction) string {
	if action.Spec.Requester == nil {
		return ""
	}
	return action.Spec.Requester.Username
}
