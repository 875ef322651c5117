// SPDX-License-Identifier: Apache-2.0

package seal

import "github.com/ow-kai/ascend-operator/api/v1alpha1"

// Verdict is what the seal on an entry of spec.approvals says: who gave it, in
// which right, on which action, which request and which workflows.
type Verdict struct {
	Namespace string
	Name      string
	// UID of the action, so that nothing carries over to one of the same name.
	UID string
	// Approval as stamped. Its Seal is not part of what is sealed.
	Approval v1alpha1.Approval
}

// verdictClaims is what is sealed of a verdict. Every field is always there.
type verdictClaims struct {
	Purpose          string `json:"purpose"`
	Key              string `json:"key"`
	Namespace        string `json:"namespace"`
	Name             string `json:"name"`
	ActionUID        string `json:"actionUID"`
	Approver         string `json:"approver"`
	ApproverUID      string `json:"approverUID"`
	As               string `json:"as"`
	Stage            string `json:"stage"`
	Verdict          string `json:"verdict"`
	Comment          string `json:"comment"`
	Time             string `json:"time"`
	SpecDigest       string `json:"specDigest"`
	WorkflowRevision string `json:"workflowRevision"`
}

func (v *Verdict) claims(keyID string) (any, error) {
	a := &v.Approval
	claims := verdictClaims{
		Purpose:          "ascend.approval.v1",
		Key:              keyID,
		Namespace:        v.Namespace,
		Name:             v.Name,
		ActionUID:        v.UID,
		Approver:         a.Approver,
		ApproverUID:      a.UID,
		As:               a.As,
		Stage:            a.Stage,
		Verdict:          string(a.Verdict),
		Comment:          a.Comment,
		Time:             timeText(a.Time),
		SpecDigest:       a.SpecDigest,
		WorkflowRevision: a.WorkflowRevision,
	}
	// A user may have no uid, a comment may not be asked for, and an approver
	// may be named without an as.
	return claims, complete(
		needed("namespace", claims.Namespace), needed("name", claims.Name), needed("uid of the action", claims.ActionUID),
		needed("approver", claims.Approver), needed("stage", claims.Stage), needed("verdict", claims.Verdict),
		needed("time", claims.Time), needed("specDigest", claims.SpecDigest), needed("workflowRevision", claims.WorkflowRevision),
		optional("approver's uid", claims.ApproverUID), optional("as", claims.As), optional("comment", claims.Comment),
	)
}

// SealVerdict returns the value for the seal of an entry of spec.approvals. It
// fails with ErrIncomplete where namespace, name, uid, approver, stage, verdict,
// time, specDigest or workflowRevision is empty or a text is not valid UTF-8,
// and with ErrNoRing on a nil Ring.
func (r *Ring) SealVerdict(v Verdict) (string, error) { return r.seal(v.claims) }

// CheckVerdict says whether v.Approval.Seal was made by SealVerdict for exactly
// this. It fails as CheckSubmission does.
func (r *Ring) CheckVerdict(v Verdict) error { return r.check(v.Approval.Seal, v.claims) }
