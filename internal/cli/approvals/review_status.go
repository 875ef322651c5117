// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"fmt"
	"math"
	"strconv"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/actions"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// risk is how the score adds up, as a sum.
func (d *dossier) risk() {
	d.section("RISK")
	risk := d.action.Status.Risk
	if risk == nil {
		d.text(2, "not scored")
		return
	}
	if risk.CVSSBaseScore != "" {
		d.addend(string(risk.CVSSBaseScore), "base score of the action type, "+actions.OrNothing(risk.CVSSVector))
	}
	sum, readable := tenths(string(risk.CVSSBaseScore))
	for i := range risk.Factors {
		factor := &risk.Factors[i]
		d.addend(string(factor.Delta), factorWords(factor))
		delta, isNumber := tenths(string(factor.Delta))
		sum, readable = sum+delta, readable && isNumber
	}
	d.addend("= "+string(risk.Score), actions.LevelWord(risk))
	if score, isNumber := tenths(string(risk.Score)); readable && isNumber && score != sum {
		d.alarm(fmt.Sprintf("The parts add up to %.1f: this status was not written by the operator, or by another version.", float64(sum)/10))
	}
}

func (d *dossier) addend(number, text string) {
	d.add(fmt.Sprintf("  %6s  ", terminal.Safe(number)), text, terminal.Plain)
}

func factorWords(factor *v1alpha1.RiskFactor) string {
	text := terminal.Mark(factor.Name)
	if factor.Value != "" {
		text += " " + terminal.Mark(factor.Value)
	}
	if factor.Source != "" {
		text += " (" + terminal.Mark(string(factor.Source)) + ")"
	}
	if factor.Note != "" {
		text += ": " + terminal.Mark(factor.Note)
	}
	return text
}

// tenths reads a score or a delta, such as "7.2" or "+1.0", in tenths.
func tenths(text string) (int, bool) {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || len(text) > 5 || math.Abs(value) > 100 { // NaN and infinities have no place in a sum
		return 0, false
	}
	return int(math.Round(value * 10)), true
}

// rules are those that matched, with what each did.
func (d *dossier) rules() {
	d.section("RULES")
	status := &d.action.Status
	if len(status.MatchedRules) == 0 {
		d.text(2, "none matched")
	}
	for i := range status.MatchedRules {
		rule := &status.MatchedRules[i]
		line := terminal.Mark(string(rule.Effect)) + " by " + ruleName(&rule.RuleReference)
		if rule.Mode == v1alpha1.RuleAudit {
			line += ", without effect (mode Audit)"
		}
		if deciding := status.DecidingRule; deciding != nil && deciding.Namespace == rule.Namespace && deciding.Name == rule.Name {
			line += ", which decided"
		}
		if rule.Note != "" {
			line += ": " + terminal.Mark(rule.Note)
		}
		d.text(2, line)
	}
	for i := range status.NearRules {
		near := &status.NearRules[i]
		d.text(2, fmt.Sprintf("nearly %s by %s: its condition %s was false", terminal.Mark(string(near.Effect)), ruleName(&near.RuleReference), terminal.Mark(near.Condition)))
	}
}

func ruleName(rule *v1alpha1.RuleReference) string {
	text := terminal.Mark(string(rule.Namespace) + "/" + string(rule.Name))
	if rule.DisplayName != "" {
		text += ` "` + terminal.Mark(rule.DisplayName) + `"`
	}
	return text
}

// binding is what an approval holds for, and for nothing else.
func (d *dossier) binding() {
	status := &d.action.Status
	if status.SpecDigest == "" && status.Approval == nil {
		return
	}
	d.section("BINDS TO")
	switch {
	case d.wrong != "":
		d.sheet.digest("request", "it cannot be read, so that its digest cannot be checked; status says", actions.OrNothing(status.SpecDigest))
	case status.SpecDigest == d.digest:
		d.sheet.digest("request", "its digest, computed anew from what is shown here, is the same as in status", d.digest)
	default:
		d.sheet.digest("request", "its digest, computed anew from what is shown here", d.digest)
		d.sheet.digest("status", "speaks of a request with the digest", actions.OrNothing(status.SpecDigest))
		d.alarm("They differ: either status was not written by the operator, or ascend is another version than the operator. Do not approve; tell whoever runs it.")
	}
	if approval := status.Approval; approval != nil {
		d.sheet.digest("workflows", "their revision", actions.OrNothing(approval.Revision))
		if approval.Stage != "" {
			d.field("stage", terminal.Safe(approval.Stage))
		}
	}
	d.field("object", "uid "+terminal.Safe(string(d.action.UID)))
	if !status.Decision.IsFinal() {
		d.text(2, "If one of these changes, an approval is not written, or does not count.")
	}
}

// next are the commands to type.
func (d *dossier) next() {
	status := &d.action.Status
	if status.Decision.IsFinal() {
		return
	}
	d.section("WHAT TO TYPE")
	if d.judge.refuseUnevaluated(d.action, d.now) != "" {
		d.text(2, "Nobody is asked yet: the operator has not evaluated it. Look again in a moment.")
		return
	}
	switch {
	case d.wrong != "" || status.SpecDigest != d.digest:
		d.command("deny it", denyCommand(d.action))
		return
	case d.place.mine:
	case d.place.others != "":
		d.text(2, "It waits for "+d.place.others+". Whoever may approve it can type:")
	}
	approve := "approve exactly this"
	if d.cut {
		d.alarm("Some of the request is too long and was left out: look at all of it first.")
		d.command("see all of it", reviewCommand(d.action))
		approve = "approve all of it, also what was left out here"
	}
	d.command(approve, approveCommand(d.action, d.digest, d.asked.count > 0, d.comment))
	d.command("deny it", denyCommand(d.action))
}

// command is one to be copied: it is not wrapped.
func (d *dossier) command(what, command string) {
	d.lines = append(d.lines, "  "+d.style.Paint(terminal.Faint, "# "+what), "  "+command)
}

func approveCommand(action *v1alpha1.AgentAction, digest string, suspicious, comment bool) string {
	text := fmt.Sprintf("kubectl approve %s -n %s --digest %s", terminal.ShellWord(action.Name), terminal.ShellWord(action.Namespace), digest)
	if suspicious {
		text += " --accept-suspicious"
	}
	if comment {
		text += ` --comment "WHY"`
	}
	return text
}

func denyCommand(action *v1alpha1.AgentAction) string {
	return fmt.Sprintf(`kubectl deny %s -n %s --reason "WHY"`, terminal.ShellWord(action.Name), terminal.ShellWord(action.Namespace))
}
