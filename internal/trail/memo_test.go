// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"maps"
	"slices"
)

// memo judges changes of one log. It examines each line once, and does not judge
// again what comes long before a change. What it does otherwise is what Verify does.
type memo struct {
	examiner examiner
	options  VerifyOptions
	lines    [][]byte
	facts    map[*byte]fact
	// stops are the verifier before every stopEach-th line.
	stops []*verifier
}

const stopEach = 64

func newMemo(lines [][]byte, options VerifyOptions) *memo {
	m := &memo{options: options, lines: lines, facts: map[*byte]fact{}}
	v := newVerifier(options)
	for i, line := range lines {
		f := m.examine(line, true)
		m.facts[&line[0]] = f
		if i%stopEach == 0 {
			m.stops = append(m.stops, clone(v))
		}
		f.number, f.place = i+1, int64(i+1)
		v.next(&f)
	}
	return m
}

func (m *memo) examine(line []byte, ended bool) fact {
	f := fact{raw: line, ended: ended}
	m.examiner.examine(&f)
	return f
}

// clone is a verifier that goes on by itself.
func clone(v *verifier) *verifier {
	c := *v
	report := *v.report
	report.Faults, report.Notes = slices.Clone(report.Faults), slices.Clone(report.Notes)
	c.report, c.chains, c.order, c.sets = &report, map[string]*chain{}, nil, maps.Clone(v.sets)
	for _, of := range v.order {
		one := *of
		one.untilTime, one.unknownKeys, one.recentHashes = slices.Clone(of.untilTime), maps.Clone(of.unknownKeys), maps.Clone(of.recentHashes)
		c.order = append(c.order, &one)
		c.chains[one.id] = &one
	}
	if v.held != nil {
		held := *v.held
		c.held = &held
	}
	return &c
}

// begin is the verifier before some line from which on lines are others.
func (m *memo) begin(lines [][]byte) (v *verifier, from int) {
	same := 0
	for same < min(len(lines), len(m.lines)) && len(lines[same]) > 0 && &lines[same][0] == &m.lines[same][0] && len(lines[same]) == len(m.lines[same]) {
		same++
	}
	stop := max(0, same-1) / stopEach
	return clone(m.stops[stop]), stop * stopEach
}

// firstBad is the index of the first bad line, as the function firstBad has it; the
// last line has no end where cut. It stops when it is known.
func (m *memo) firstBad(lines [][]byte, cut bool) int {
	v, from := m.begin(lines)
	for i := from; i < len(lines); i++ {
		line := lines[i]
		f, known := fact{}, false
		if len(line) > 0 {
			f, known = m.facts[&line[0]]
			known = known && len(f.raw) == len(line)
		}
		if ended := !cut || i < len(lines)-1; !known || !ended {
			f = m.examine(line, ended)
		}
		f.number, f.place = i+1, int64(i+1)
		v.next(&f)
		if v.report.FaultsTotal > 0 && v.report.First().Line < i {
			return v.report.First().Line - 1
		}
	}
	v.finish()
	if fault := v.report.First(); fault != nil {
		return fault.Line - 1
	}
	return nothing
}
