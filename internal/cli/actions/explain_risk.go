// SPDX-License-Identifier: Apache-2.0

package actions

import (
	"strconv"
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// explainRisk adds the base score and every factor, as a sum that ends in the
// score. A status whose parts do not add up says so.
func explainRisk(root *terminal.Node, risk *v1alpha1.RiskStatus) {
	if risk == nil {
		root.Add("risk: not scored")
		return
	}
	n := root.Add("risk: %s %s", ScoreWord(risk), LevelWord(risk))
	if risk.CVSSBaseScore != "" {
		n.Add("%5s  base score of the action type, %s", marked(string(risk.CVSSBaseScore)), OrNothing(risk.CVSSVector))
	}
	for i := range risk.Factors {
		n.Add("%s", factorLine(&risk.Factors[i]))
	}
	if sum, readable := riskSum(risk); readable && sum != tenths(string(risk.Score)) {
		n.Add("%5s  score, but the parts add up to %s: this status was not written by the operator, or by another version", "= "+ScoreWord(risk), fromTenths(sum))
		return
	}
	n.Add("%5s  score", "= "+ScoreWord(risk))
}

func factorLine(factor *v1alpha1.RiskFactor) string {
	var b strings.Builder
	b.WriteString(padLeft(marked(string(factor.Delta)), 5))
	b.WriteString("  " + marked(factor.Name))
	if factor.Value != "" {
		b.WriteString(" " + marked(factor.Value))
	}
	if factor.Source != "" {
		b.WriteString(" (" + marked(string(factor.Source)) + ")")
	}
	if factor.Note != "" {
		b.WriteString(": " + marked(factor.Note))
	}
	return b.String()
}

func padLeft(text string, width int) string {
	return strings.Repeat(" ", max(0, width-len(text))) + text
}

// unreadable stands for a score or delta that is not one.
const unreadable = -1 << 30

// riskSum adds up the base score and the factors, in tenths; false where one
// of them cannot be read or there is no base score.
func riskSum(risk *v1alpha1.RiskStatus) (int, bool) {
	sum := tenths(string(risk.CVSSBaseScore))
	if sum == unreadable {
		return 0, false
	}
	for i := range risk.Factors {
		delta := tenths(string(risk.Factors[i].Delta))
		if delta == unreadable {
			return 0, false
		}
		sum += delta
	}
	return sum, tenths(string(risk.Score)) != unreadable
}

// tenths reads a score or delta with at most one decimal, such as "7.2" or "+1.0".
func tenths(text string) int {
	whole, fraction, _ := strings.Cut(text, ".")
	if text == "" || len(fraction) > 1 || len(text) > 5 {
		return unreadable
	}
	if fraction == "" {
		fraction = "0"
	}
	value, err := strconv.Atoi(whole + fraction)
	if err != nil {
		return unreadable
	}
	return value
}

func fromTenths(value int) string {
	return strconv.FormatFloat(float64(value)/10, 'f', 1, 64)
}
