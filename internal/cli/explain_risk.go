// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"strconv"
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// explainRisk adds the base score and every factor, as a sum that ends in the
// score. A status whose parts do not add up says so.
func explainRisk(root *node, risk *v1alpha1.RiskStatus) {
	if risk == nil {
		root.add("risk: not scored")
		return
	}
	n := root.add("risk: %s %s", scoreWord(risk), levelWord(risk))
	if risk.CVSSBaseScore != "" {
		n.add("%5s  base score of the action type, %s", safeText(string(risk.CVSSBaseScore)), orNothing(risk.CVSSVector))
	}
	for i := range risk.Factors {
		n.add("%s", factorLine(&risk.Factors[i]))
	}
	if sum, readable := riskSum(risk); readable && sum != tenths(string(risk.Score)) {
		n.add("%5s  score, but the parts add up to %s: this status was not written by the operator, or by another version", "= "+scoreWord(risk), fromTenths(sum))
		return
	}
	n.add("%5s  score", "= "+scoreWord(risk))
}

func factorLine(factor *v1alpha1.RiskFactor) string {
	var b strings.Builder
	b.WriteString(padLeft(safeText(string(factor.Delta)), 5))
	b.WriteString("  " + safeText(factor.Name))
	if factor.Value != "" {
		b.WriteString(" " + safeText(factor.Value))
	}
	if factor.Source != "" {
		b.WriteString(" (" + safeText(string(factor.Source)) + ")")
	}
	if factor.Note != "" {
		b.WriteString(": " + safeText(factor.Note))
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
