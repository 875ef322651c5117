// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/ow-kai/ascend-operator/internal/audit"
)

// VerifyOptions say what else is known of a trail than its lines.
type VerifyOptions struct {
	// Anchors are heads of chains that are kept elsewhere. A trail that has another
	// record there, or ends before, was rewritten or cut off.
	Anchors []audit.Checkpoint
	// Keys are the public keys by which checkpoints and anchors are checked. What is
	// signed with another key is noted, and not checked: it proves nothing then. Without
	// any key, anchors are taken as they are.
	Keys []ed25519.PublicKey
	// Partial tolerates that the beginning is missing: older files were removed. It is
	// where a file and those that were rotated out of it begin, and anywhere in a trail
	// that was Collected.
	Partial bool
	// Collected: the lines do not come from the operator's own file, but from what
	// something has collected of its output. Then lines of others may be between
	// them, the same records may come again, and what a crash has left of a line need
	// not be there.
	Collected bool
	// RequireProof makes it a fault that nothing proves where a chain ends, and, where
	// there are Keys, that nothing signed with one of them vouches for a chain.
	RequireProof bool
	// Visit is told of every record that is as it was written, in the order of the
	// trail; what it is given is good until it returns. May be nil.
	Visit func(Outline)
}

// Verify checks that the lines are what the operator has written: every byte of every
// record by its hash, the order and completeness of every chain, and where chains end,
// as far as something tells. The chains may be of several replicas, one after the other or
// mixed. It holds in memory what it knows of each chain, and no records. It fails
// where it cannot read, and when ctx ends; what is wrong with the trail is in the report.
//
// Two things it cannot see: in which order records of different replicas came, for
// nothing claims one; and other bytes in a line that a crash left unfinished, which is
// no part of any chain.
func Verify(ctx context.Context, lines iter.Seq2[Line, error], options VerifyOptions) (*Report, error) {
	v := newVerifier(options)
	for f, err := range examined(ctx, lines) {
		if err != nil {
			if !v.unreadable(err) {
				return nil, err
			}
			break
		}
		v.next(f)
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	v.finish()
	return v.report, nil
}

// verifier is one run of Verify.
type verifier struct {
	options VerifyOptions
	report  *Report
	chains  map[string]*chain
	order   []*chain
	keys    map[string]ed25519.PublicKey
	anchors map[string][]audit.Checkpoint // by chain, in the order of their sequences
	// held is a line of which the one after it tells what it is.
	held *fact
	// file is that of the last record; sets are the sets of files of which there was one.
	file string
	sets map[set]bool
	// opens: the record is the first one of its set.
	opens bool
	// explained: the line before the held one is the unfinished one that it tells of.
	explained bool
	// damaged is how many lines were no records where some must have been, so that
	// a record that is missing is no fault of its own.
	damaged int
	// damage is the place of the last one.
	damage int64
}

func newVerifier(options VerifyOptions) *verifier {
	v := &verifier{options: options, report: &Report{Chains: []*Chain{}, Faults: []Fault{}}, chains: map[string]*chain{}, sets: map[set]bool{}, keys: keysByID(options.Keys)}
	v.takeAnchors()
	return v
}

// next takes the next line.
func (v *verifier) next(f *fact) {
	v.report.Lines++
	explained := v.settle(f)
	v.held, v.explained = f, explained
}

// settle decides about the line that is held, which by comes after, and returns
// whether by tells that it is an unfinished one.
func (v *verifier) settle(by *fact) (explained bool) {
	f := v.held
	if f == nil {
		return false
	}
	v.held = nil
	if by != nil {
		var counted bool
		if explained, counted = explains(by, f); explained && !counted {
			v.report.Unfinished++
			return true
		}
	}
	v.judge(f)
	return explained
}

// explains says whether a line tells that the one before it is unfinished, and
// whether that counts as a record all the same: only the newline was missing. What is
// whole JSON and is not counted is no rest of a line: the commands that read the trail
// would take it for a record.
func explains(by, f *fact) (explained, counted bool) {
	switch {
	case len(f.raw) == 0:
	case by.sound() && by.journal != nil:
		journal := journalOf(by)
		counted = (f.whole || f.sound()) && journal.Previous != nil && journal.Previous.Hash == string(f.hash)
		if counted {
			f.problem = ""
		}
		return journal.Unfinished == int64(len(f.raw)) && (counted || !json.Valid(f.raw)), counted
	case !by.sound() && f.problem != "":
		// If it is by that was damaged, that will be told.
		return mayExplain(by) && !mayExplain(f) && f.raw[len(f.raw)-1] != '}', false
	}
	return false, false
}

// mayExplain says whether a line, whole but for a byte or two, told of an unfinished one.
func mayExplain(f *fact) bool {
	const begin = `{"schemaVersion":`
	if len(f.raw) < len(begin) {
		return false
	}
	differ := 0
	for i := range begin {
		if f.raw[i] != begin[i] {
			differ++
		}
	}
	return differ < 2 && (bytes.Contains(f.raw, []byte(`"unfinished":`)) || bytes.Contains(f.raw, []byte(audit.EventStarted)))
}

// enter notes in which file a record stands.
func (v *verifier) enter(f *fact) {
	v.opens = false
	if f.file == v.file && len(v.sets) > 0 {
		return
	}
	v.file = f.file
	if of := placeOf(f.file).set(); !v.sets[of] {
		v.opens, v.sets[of] = true, true
	}
}

// mayBegin says whether what came before the record may be missing.
func (v *verifier) mayBegin() bool { return v.options.Partial && (v.opens || v.options.Collected) }

// sound says whether the line is a record as it was written.
func (f *fact) sound() bool { return f.problem == "" && !f.changed }

// judge takes a line at its place.
func (v *verifier) judge(f *fact) {
	switch {
	case f.problem != "" && v.options.Collected && !f.resemblesRecord():
		v.report.Others++
	case f.problem != "":
		v.fault(nil, f, f.problem, v.unreadableAdvice(f))
		v.damagedAt(f)
	case f.changed:
		v.enter(f)
		v.changed(f)
	default:
		v.enter(f)
		v.report.Records++
		v.follow(f)
	}
}

const compareAdvice = "Compare it with another copy of the trail (another sink, a backup); whoever could write the file may have changed it."

// convertedAdvice is for lines that a program has made other ones of on their way.
const convertedAdvice = "A program has converted the text on its way, as a shell or an editor on Windows does: line ends of CR LF, a byte order mark, or UTF-16. Fetch the file again, byte for byte."

// converted says whether a line looks like that.
func (f *fact) converted() bool {
	return bytes.HasSuffix(f.raw, []byte("}\r")) || bytes.HasPrefix(f.raw, []byte("\xef\xbb\xbf{")) || bytes.Contains(f.raw, []byte("{\x00\"\x00")) || bytes.Contains(f.raw, []byte("\x00{\x00\""))
}

func (v *verifier) unreadableAdvice(f *fact) string {
	switch {
	case f.converted():
		return convertedAdvice
	case !f.ended:
		return "If the operator writes this file right now, run this again. If a process was killed here, its next start on this file explains the line. Otherwise the end was cut off: compare it with another copy of the trail."
	case !v.options.Collected && !f.resemblesRecord():
		return "If these lines were collected from the operator's output, where other lines may be between them, use --collected. Otherwise compare it with another copy of the trail."
	default:
		return compareAdvice
	}
}

// changed takes a record with the hash of another one.
func (v *verifier) changed(f *fact) {
	c := v.chains[string(f.Chain)]
	v.fault(c, f, "the line was changed: its hash is not that of what it says", compareAdvice)
	switch {
	case c == nil && f.Sequence == 1:
		v.begin(f).head = head{sequence: 1, unsure: true, place: f.at()}
	case c != nil && f.Sequence == c.head.sequence+1:
		c.last, c.head = f.Sequence, head{sequence: f.Sequence, unsure: true, place: f.at()}
	default: // it is some field of its place that was changed
		v.damagedAt(f)
	}
}

// damagedAt notes that a record is not where it should be.
func (v *verifier) damagedAt(f *fact) { v.damaged, v.damage = v.damaged+1, f.place }

// unreadable takes an error of reading. It returns false for one that says nothing
// of the trail.
func (v *verifier) unreadable(err error) bool {
	var at *LineError
	if !errors.As(err, &at) {
		return false
	}
	v.settle(nil)
	v.report.FaultsTotal++
	v.report.Faults = append(v.report.Faults, Fault{
		File: at.File, Line: at.Number, What: "cannot be read on from here: " + at.Err.Error(),
		Advice: "Nothing after this was checked. Fetch the file again, or another copy of it.", place: 2*v.report.Lines + 1,
	})
	return true
}

// fault reports what is wrong with a line. c may be nil.
func (v *verifier) fault(c *chain, f *fact, what, advice string) {
	fault := Fault{File: f.file, Line: f.number, What: what, Advice: advice, place: 2 * f.place}
	if f.problem == "" {
		fault.Chain, fault.Sequence = string(f.Chain), f.Sequence
	}
	v.found(c, fault)
}

func (v *verifier) found(c *chain, fault Fault) {
	if c != nil {
		c.faults++
	}
	v.report.add(fault)
}

func (v *verifier) notef(format string, args ...any) {
	if len(v.report.Notes) < MaxFaults {
		v.report.Notes = append(v.report.Notes, fmt.Sprintf(format, args...))
	}
}

// journalOf decodes what a sound record tells of the trail. What does not decode
// tells nothing.
func journalOf(f *fact) audit.Journal {
	var journal audit.Journal
	if f.journal == nil || json.Unmarshal(f.journal, &journal) != nil {
		return audit.Journal{}
	}
	return journal
}
