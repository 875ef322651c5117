// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

const (
	// maxLines is how many lines of parameters or context are shown, where not
	// everything is asked for.
	maxLines = 100
	// maxWarnings is how many suspicious words are listed likewise.
	maxWarnings = 20
	// fullHint says how to see the rest.
	fullHint = "--full shows all"
)

// head says what it is about, and what must not be overlooked.
func (d *dossier) head() {
	status := &d.action.Status
	word := actions.DecisionWord(status.Decision)
	title := fmt.Sprintf("%s in namespace %s: %s", terminal.Safe(d.action.Name), terminal.Safe(d.action.Namespace), word)
	switch {
	case d.place.mine:
		title += ", and waits for you"
	case d.place.others != "":
		title += ", and waits for " + d.place.others
	}
	d.lines = append(d.lines, d.style.Paint(terminal.Strong, title))
	line := fmt.Sprintf("%s on %s, %s", terminal.Mark(d.action.Spec.ActionType), resource(d.action), riskWords(status.Risk))
	if a := status.Approval; a != nil && a.Deadline != nil && !status.Decision.IsFinal() {
		line += ", " + timeLeft(d.now, a.Deadline.Time) + " left"
	}
	d.text(0, line)
	if status.Message != "" {
		d.text(0, terminal.Mark(status.Message))
	}
	switch {
	case d.wrong != "":
		d.alarm("THE REQUEST CANNOT BE READ: " + terminal.Safe(d.wrong))
	case status.SpecDigest != "" && status.SpecDigest != d.digest:
		d.alarm("THE STATUS SPEAKS OF ANOTHER REQUEST: its digest is not that of what is shown here. Do not approve; see BINDS TO below.")
	}
	if d.found.count > 0 {
		d.alarm(strings.ToUpper(suspiciousWords(d.found.count)) + ": what looks like one thing is another; they are marked, and listed below.")
	}
}

// riskWords are level and score.
func riskWords(risk *v1alpha1.RiskStatus) string {
	if risk == nil {
		return "risk not scored"
	}
	return "risk " + actions.LevelWord(risk) + " " + actions.ScoreWord(risk)
}

// resource is what the action wants to act on, with suspicious characters marked.
func resource(action *v1alpha1.AgentAction) string {
	req, err := request.Read(action, v1alpha1.Requester{}, nil)
	switch {
	case err != nil && req.Resource == "":
		return "a resource that cannot be read"
	case req.Resource == "":
		return "no named resource"
	}
	text := terminal.Mark(req.Resource)
	if more := len(req.Resources) - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// parties says who asks, and for which agent.
func (d *dossier) parties(ctx context.Context) {
	d.section("WHO ASKS")
	spec := &d.action.Spec
	name := "unknown"
	if by := spec.Requester; by != nil && by.Username != "" {
		name = terminal.Mark(by.Username)
	}
	d.field("requester", name)
	d.field("agent", terminal.Mark(string(spec.AgentRef.Name))+d.agent(ctx))
	at := actions.SubmittedAt(d.action)
	d.field("asked", terminal.Moment(at)+", "+terminal.Ago(d.now, at))
}

// agent says what is known of the agent, as far as the user may read it.
func (d *dossier) agent(ctx context.Context) string {
	agent, err := d.judge.policy.agent(ctx, d.action)
	switch {
	case apierrors.IsNotFound(err):
		return ", which does not exist (any more)"
	case apierrors.IsForbidden(err):
		return " (you may not read agents, so nothing more is known of it)"
	case err != nil:
		return " (cannot be read: " + terminal.Safe(err.Error()) + ")"
	}
	spec := &agent.Spec
	words := []string{}
	for _, word := range []string{string(spec.State), string(spec.Type), string(spec.Environment)} {
		if word != "" {
			words = append(words, terminal.Mark(word))
		}
	}
	text := ""
	if spec.DisplayName != "" {
		text += ` "` + terminal.Mark(spec.DisplayName) + `"`
	}
	if len(words) > 0 {
		text += " (" + strings.Join(words, ", ") + ")"
	}
	if spec.Owner != "" {
		text += ", owned by " + terminal.Mark(spec.Owner)
	}
	return text
}

// request is all that was asked.
func (d *dossier) request() {
	d.section("REQUEST")
	spec := &d.action.Spec
	d.field("type", terminal.Mark(spec.ActionType))
	d.field("resource", resource(d.action))
	d.long("description", spec.Description)
	if exception := spec.ExceptionRequest; exception != nil {
		d.field("exception", "from rule "+terminal.Mark(string(exception.RuleName)))
		d.long("because", exception.Justification)
	}
	d.object("parameters", spec.Parameters)
	d.object("context", spec.Context)
	if len(d.action.Labels) > 0 {
		var labels []string
		for _, key := range slices.Sorted(maps.Keys(d.action.Labels)) {
			labels = append(labels, terminal.Mark(key+"="+d.action.Labels[key]))
		}
		d.field("labels", strings.Join(labels, ", ")+" (not part of what is approved)")
	}
}

// long is a field with text of several lines.
func (d *dossier) long(label, text string) {
	if text == "" {
		d.field(label, "none")
		return
	}
	lines := terminal.MarkLines(strings.TrimRight(text, "\n"))
	most := maxLines
	if d.full {
		most = 0
	}
	for i, line := range lines {
		if most > 0 && i == most {
			d.cut = true
			d.field("", fmt.Sprintf("… (%d more lines; %s)", len(lines)-i, fullHint))
			return
		}
		d.field(label, line)
		label = ""
	}
}

// object is a JSON object as an outline.
func (d *dossier) object(label string, raw *runtime.RawExtension) {
	value, err := decodeJSON(raw)
	if err != nil {
		d.field(label, "not JSON: "+bounded(terminal.Mark(string(raw.Raw)), maxText))
		d.cut = true // it is not known what there is
		return
	}
	object, isObject := value.(map[string]any)
	if value == nil || isObject && len(object) == 0 {
		d.field(label, "none")
		return
	}
	lines := outlined(value, d.full)
	d.field(label, sizeWord(len(object), len(raw.Raw)))
	most := maxLines
	if d.full {
		most = 0
	}
	d.cut = d.cut || most > 0 && (len(lines) > most || !slices.Equal(lines, outlined(value, true)))
	d.list(4, lines, most, fullHint)
}

func sizeWord(keys, bytes int) string {
	return fmt.Sprintf("%s, %s of JSON", terminal.Count(keys, "key"), terminal.Count(bytes, "byte"))
}

// suspicious lists what does not show what it is.
func (d *dossier) suspicious() {
	if d.found.count == 0 {
		return
	}
	d.section(strings.ToUpper(suspiciousWords(d.found.count)))
	most := maxWarnings
	if d.full {
		most = 0
	}
	for _, line := range d.found.lines(most) {
		d.add("  ! ", line, terminal.Bad)
	}
}
