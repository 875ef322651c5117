// SPDX-License-Identifier: Apache-2.0

package seal_test

import (
	"bytes"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/seal"
)

const (
	digest   = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
	revision = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// key has a secret of one byte, repeated.
func key(id string, secret byte) seal.Key {
	return seal.Key{ID: id, Secret: bytes.Repeat([]byte{secret}, 32)}
}

// ring seals with the first of its keys.
func ring(tb testing.TB, keys ...seal.Key) *seal.Ring {
	tb.Helper()
	r, err := seal.NewRing(keys[0].ID, keys)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func at(text string) *metav1.MicroTime {
	parsed, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	moment := metav1.NewMicroTime(parsed)
	return &moment
}

func submission() seal.Submission {
	return seal.Submission{
		Namespace: "shop", Name: "act-7", Digest: digest,
		Requester: v1alpha1.Requester{
			Username: "system:serviceaccount:shop:tutorial-agent", UID: "0b5f",
			Groups:     []v1alpha1.UserName{"system:serviceaccounts", "system:authenticated"},
			AdmittedAt: at("2026-03-01T09:30:00.123456Z"),
		},
	}
}

func verdict() seal.Verdict {
	return seal.Verdict{
		Namespace: "shop", Name: "act-7", UID: "6c1d",
		Approval: v1alpha1.Approval{
			Verdict: v1alpha1.VerdictApprove, Comment: "once", Approver: "alice", Stage: "review",
			As: "group:security", UID: "a11c", Time: at("2026-03-01T09:31:00.000001Z"),
			SpecDigest: digest, WorkflowRevision: revision,
		},
	}
}

func sealedSubmission(tb testing.TB, r *seal.Ring) seal.Submission {
	tb.Helper()
	s := submission()
	var err error
	if s.Requester.Seal, err = r.SealSubmission(s); err != nil {
		tb.Fatal(err)
	}
	return s
}

func sealedVerdict(tb testing.TB, r *seal.Ring) seal.Verdict {
	tb.Helper()
	v := verdict()
	var err error
	if v.Approval.Seal, err = r.SealVerdict(v); err != nil {
		tb.Fatal(err)
	}
	return v
}
