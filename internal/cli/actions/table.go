// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"fmt"
	"io"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// The output formats of a list; the empty one is the table.
const (
	outputTable = ""
	outputWide  = "wide"
	outputName  = "name"
	outputJSON  = "json"
	outputYAML  = "yaml"
)

var listFormats = []string{outputTable, outputWide, outputName, outputJSON, outputYAML}

// actionResource is how -o name and the arguments of commands write the kind.
const actionResource = "agentaction.governance.ascendowkai.com"

func (o *actionsList) print(actions []v1alpha1.AgentAction) error {
	switch o.output {
	case outputJSON:
		return printObjects(&printers.JSONPrinter{}, actions, o.session.Out)
	case outputYAML:
		return printObjects(&printers.YAMLPrinter{}, actions, o.session.Out)
	case outputName:
		for i := range actions {
			fmt.Fprintf(o.session.Out, "%s/%s\n", actionResource, terminal.Safe(actions[i].Name))
		}
		return nil
	default:
		return o.printTable(actions)
	}
}

// printTable has the columns ID TYPE RISK DECISION TIME, with NAMESPACE before
// them under -A and more behind them under -o wide.
func (o *actionsList) printTable(actions []v1alpha1.AgentAction) error {
	now := o.session.Clock.Now()
	table := printers.GetNewTabWriter(o.session.Out)
	writeRow(table, o.columns([]string{"NAMESPACE"}, []string{"ID", "TYPE", "RISK", "DECISION", "TIME"},
		[]string{"AGENT", "SCORE", "REASON", "STAGE", "REQUESTER"}))
	for i := range actions {
		action := &actions[i]
		risk, status := action.Status.Risk, &action.Status
		writeRow(table, o.columns(
			[]string{terminal.Safe(action.Namespace)},
			[]string{terminal.Safe(action.Name), terminal.Safe(action.Spec.ActionType), LevelWord(risk), DecisionWord(status.Decision), terminal.Ago(now, SubmittedAt(action))},
			[]string{terminal.Safe(string(action.Spec.AgentRef.Name)), ScoreWord(risk), OrNothing(status.Reason), OrNothing(waitingStage(action)), OrNothing(requesterName(action))},
		))
	}
	return table.Flush()
}

func (o *actionsList) columns(before, table, wide []string) []string {
	if o.allNamespaces {
		table = append(before, table...)
	}
	if o.output == outputWide {
		table = append(table, wide...)
	}
	return table
}

func writeRow(out io.Writer, cells []string) {
	fmt.Fprintln(out, strings.Join(cells, "\t"))
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

// printObjects prints an AgentActionList as kubectl does: with kinds, without
// managed fields.
func printObjects(printer printers.ResourcePrinter, actions []v1alpha1.AgentAction, out io.Writer) error {
	list := &v1alpha1.AgentActionList{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "AgentActionList"},
		Items:    make([]v1alpha1.AgentAction, len(actions)),
	}
	for i := range actions {
		action := actions[i].DeepCopy()
		action.TypeMeta = metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "AgentAction"}
		action.ManagedFields = nil
		list.Items[i] = *action
	}
	return printer.PrintObj(list, out)
}
