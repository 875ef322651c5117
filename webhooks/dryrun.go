// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

// dryRun says whether the API server stores nothing of what it asks about.
func dryRun(req *admission.Request) bool { return req.DryRun != nil && *req.DryRun }

// noSeal has the form of a seal and is one of nothing: its key does not exist,
// and nobody finds what would give this code.
var noSeal = "v1.00000000." + strings.Repeat("A", 43)

// stampOf is the seal that a request is answered with. A dry run is judged like
// any other request and answered in the same form, but with a seal that can
// never be valid: who tries has not asked, and could store the answer past the
// webhooks.
func stampOf(req *admission.Request, seal string) string {
	if dryRun(req) {
		return noSeal
	}
	return seal
}
