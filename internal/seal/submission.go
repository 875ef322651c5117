// SPDX-License-Identifier: Apache-2.0

package seal

import "github.com/ow-kai/ascend-operator/api/v1alpha1"

// Submission is what the seal on spec.requester says: who asked for what, under
// which name, and when. There is no uid, for at admission there is none yet;
// name and time stand for it, see AdmissionWindow.
type Submission struct {
	Namespace string
	Name      string
	// Digest is the specDigest of the request.
	Digest string
	// Requester as stamped. Its Seal is not part of what is sealed.
	Requester v1alpha1.Requester
}

// submissionClaims is what is sealed of a submission. Every field is always
// there, and no groups are an empty list.
type submissionClaims struct {
	Purpose    string   `json:"purpose"`
	Key        string   `json:"key"`
	Namespace  string   `json:"namespace"`
	Name       string   `json:"name"`
	Digest     string   `json:"digest"`
	Username   string   `json:"username"`
	UID        string   `json:"uid"`
	Groups     []string `json:"groups"`
	AdmittedAt string   `json:"admittedAt"`
}

func (s *Submission) claims(keyID string) (any, error) {
	r := &s.Requester
	groups := make([]string, 0, len(r.Groups))
	for _, g := range r.Groups {
		groups = append(groups, string(g))
	}
	claims := submissionClaims{
		Purpose:    "ascend.requester.v1",
		Key:        keyID,
		Namespace:  s.Namespace,
		Name:       s.Name,
		Digest:     s.Digest,
		Username:   r.Username,
		UID:        r.UID,
		Groups:     groups,
		AdmittedAt: timeText(r.AdmittedAt),
	}
	// A user may have no uid and no groups.
	return claims, complete(
		needed("namespace", claims.Namespace), needed("name", claims.Name), needed("digest", claims.Digest),
		needed("username", claims.Username), needed("admittedAt", claims.AdmittedAt),
		optional("uid", claims.UID), optional("groups", groups...),
	)
}

// SealSubmission returns the value for spec.requester.seal. It fails with
// ErrIncomplete where namespace, name, digest, username or admittedAt is empty
// or a text is not valid UTF-8, and with ErrNoRing on a nil Ring.
func (r *Ring) SealSubmission(s Submission) (string, error) { return r.seal(s.claims) }

// CheckSubmission says whether s.Requester.Seal was made by SealSubmission for
// exactly this. It fails with ErrMissing, ErrMalformed, ErrUnknownKey or
// ErrForged, and with ErrNoRing on a nil Ring. Of the seal itself an error
// shows the key id at most.
func (r *Ring) CheckSubmission(s Submission) error { return r.check(s.Requester.Seal, s.claims) }
