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

// verification checks the chains, for the page to say what came of it. Older files may
// have been removed: what is missing before the first record is no fault here.
func verification(ctx context.Context, of iter.Seq2[trail.Line, error]) (*evidence.Verification, error) {
	report, err := trail.Verify(ctx, of, trail.VerifyOptions{Partial: true})
	if err != nil {
		return nil, err
	}
	v := &evidence.Verification{Sound: report.Sound()}
	v.Statement = fmt.Sprintf("%s of %s: every hash and every place in a chain was checked, and %s found.",
		terminal.Count(int(report.Records), "record"), terminal.Count(len(report.Chains), "chain"), faults(report.FaultsTotal))
	for i, fault := range report.Faults {
		if i == mostFaults {
			v.Details = append(v.Details, fmt.Sprintf("and %d more", report.FaultsTotal-mostFaults))
			break
		}
		v.Details = append(v.Details, faultLine(fault))
	}
	for _, chain := range report.Chains {
		v.Details = append(v.Details, fmt.Sprintf("chain %s: records %d to %d, its end is %s", chain.ID, chain.First, chain.Last, chain.End))
	}
	return v, nil
}

func faults(n int) string {
	switch n {
	case 0:
		return "nothing wrong was"
	case 1:
		return "1 fault was"
	default:
		return fmt.Sprintf("%d faults were", n)
	}
}

func faultLine(fault trail.Fault) string {
	if fault.File == "" {
		return fault.What
	}
	return fmt.Sprintf("%s:%d: %s", fault.File, fault.Line, fault.What)
}
