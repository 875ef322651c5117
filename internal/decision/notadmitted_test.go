// SPDX-License-Identifier: Apache-2.0

package decision_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/request"
)

func TestWhatWasNotAdmittedIsDeniedWithdrawnOrNot(t *testing.T) {
	for _, cancelled := range []bool{false, true} {
		req := &request.Request{Cancelled: cancelled, Digest: "sha256:00"}
		got := decision.NotAdmitted(req, "nobody knows who: "+strings.Repeat("é", 4000))
		if got.Decision != v1alpha1.DecisionDenied || got.Reason != v1alpha1.ReasonNotAdmitted || got.SpecDigest != req.Digest {
			t.Errorf("cancelled %t: %+v", cancelled, got)
		}
		if !strings.HasPrefix(got.Message, "nobody knows who: é") || len(got.Message) > 2048 || !utf8.ValidString(got.Message) {
			t.Errorf("message of %d bytes", len(got.Message))
		}
	}
}
