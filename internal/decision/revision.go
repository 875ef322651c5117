// SPDX-License-Identifier: Apache-2.0

package decision

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// source notes something that took part in the decision.
func (d *decider) source(kind, namespace, name, revision string) {
	d.sources = append(d.sources, kind+" "+namespace+"/"+name+" "+revision)
}

// policyRevision is the digest over everything that took part, in an order of
// its own, so that it does not depend on how the sources were found.
func (d *decider) policyRevision() string {
	if len(d.sources) == 0 {
		return ""
	}
	slices.Sort(d.sources)
	d.sources = slices.Compact(d.sources)
	sum := sha256.Sum256([]byte(strings.Join(d.sources, "\n")))
	return "sha256:" + hex.EncodeToString(sum[:])
}
