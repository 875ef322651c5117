// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"fmt"
	"iter"

	"github.com/ow-kai/ascend-operator/internal/evidence"
	"github.com/ow-kai/ascend-operator/internal/terminal"
	"github.com/ow-kai/ascend-operator/internal/trail"
)

// mostFaults are named on the page.
const mostFaults = 20

// proof is what the chains are held against, from files.
type proof struct{ anchors, keys []string }

// options are what trail.Verify is given, read as audit verify does: where public keys
// are named, no other is trusted. Older files may have been removed, so that it is no
// fault here that the beginning is missing.
func (p *proof) options() (trail.VerifyOptions, error) {
	given := &verify{anchors: p.anchors, keys: p.keys, options: trail.VerifyOptions{Partial: true}}
	if err := given.readAnchors(); err != nil {
		return given.options, err
	}
	return given.options, given.readKeys()
}

// verification checks the chains, for the page to say what came of it.
func (p *proof) verification(ctx context.Context, of iter.Seq2[trail.Line, error]) (*evidence.Verification, error) {
	options, err := p.options()
	if err != nil {
		return nil, err
	}
	report, err := trail.Verify(ctx, of, options)
	if err != nil {
		return nil, err
	}
	v := &evidence.Verification{Sound: report.Sound(), Statement: statement(report, len(options.Anchors))}
	for i, fault := range report.Faults {
		if i == mostFaults {
			v.Details = append(v.Details, fmt.Sprintf("and %d more, which ascend audit verify lists", report.FaultsTotal-mostFaults))
			break
		}
		v.Details = append(v.Details, faultLine(fault))
	}
	for _, chain := range report.Chains {
		v.Details = append(v.Details, chainLine(chain))
	}
	if report.Sound() { // else there are records that are in no chain
		v.Last = map[string]uint64{}
		for _, chain := range report.Chains {
			v.Last[chain.ID] = chain.Last
		}
	}
	v.Details = append(v.Details, report.Notes...)
	return v, nil
}

func statement(report *trail.Report, anchors int) string {
	found := "nothing is wrong"
	if report.FaultsTotal > 0 {
		found = terminal.Count(report.FaultsTotal, "fault") + " found"
	}
	text := fmt.Sprintf("The hash of every record and its place in its chain were checked, %s of %s: %s.",
		terminal.Count(int(report.Records), "record"), terminal.Count(len(report.Chains), "chain"), found)
	if anchors > 0 {
		return text + fmt.Sprintf(" The chains were held against %s kept apart from them.", terminal.Count(anchors, "anchor"))
	}
	return text + " No anchors were given, which are kept apart from the chains."
}

func faultLine(fault trail.Fault) string {
	if fault.File == "" {
		return fault.What
	}
	return fmt.Sprintf("%s:%d: %s", fault.File, fault.Line, fault.What)
}

func chainLine(chain *trail.Chain) string {
	end := "nothing proves that it had no more records"
	switch chain.End {
	case trail.EndAnchored:
		end = "it ends where its anchor says"
	case trail.EndStopped:
		end = "it ended in order"
	case trail.EndFollowed:
		end = "it ends where the chain after it says"
	case trail.EndUnproven:
	}
	text := fmt.Sprintf("chain %s: records %d to %d, %s", chain.ID, chain.First, chain.Last, end)
	if chain.Signed > 0 {
		text += fmt.Sprintf("; signed up to record %d", chain.Signed)
	}
	return text
}
