// SPDX-License-Identifier: Apache-2.0

package risk

import (
	"errors"
	"math"
	"strings"

	gocvss31 "github.com/pandatix/go-cvss/31"
)

// baseMetrics is the number of metrics of a base vector.
const baseMetrics = 8

// errNotBase says that a vector has more than the base metrics.
var errNotBase = errors.New("only the eight base metrics may be given: AV, AC, PR, UI, S, C, I, A")

// vector is a CVSS 3.1 base vector and what it scores.
type vector struct {
	text string // in the order of the specification
	base Score
	// exposed is how much of base is due to confidentiality: base less the
	// score of the same vector with C:N.
	exposed Delta
}

// parseVector reads a vector and computes its base score. Source: CVSS 3.1
// specification, sections 6 (vector string) and 7.1 (base metrics equations).
func parseVector(text string) (vector, error) {
	parsed, err := gocvss31.ParseVector(text)
	if err != nil {
		return vector{}, err
	}
	if strings.Count(text, "/") != baseMetrics {
		return vector{}, errNotBase
	}
	out := vector{text: parsed.Vector(), base: baseScore(parsed)}
	if err := parsed.Set("C", "N"); err != nil {
		return vector{}, err
	}
	out.exposed = Delta(out.base - baseScore(parsed))
	return out, nil
}

func baseScore(v *gocvss31.CVSS31) Score { return Score(math.Round(v.BaseScore() * 10)) }
