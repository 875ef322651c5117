// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"fmt"
	"strings"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

const (
	digestPrefix = "sha256:"
	digestDigits = 64
	// leastDigits of a digest tell requests apart that were not made to be
	// confused. What review tells to type has all of them.
	leastDigits = 12
)

// checkDigestFlag refuses a --digest that cannot be one, or says too little.
func checkDigestFlag(given string) error {
	digits := strings.TrimPrefix(strings.ToLower(given), digestPrefix)
	switch {
	case given == "":
		return nil
	case strings.Trim(digits, "0123456789abcdef") != "" || len(digits) > digestDigits:
		return fmt.Errorf("--digest is %q; it has to be sha256: and %d hex digits, as ascend review shows it", terminal.Safe(given), digestDigits)
	case len(digits) < leastDigits:
		return fmt.Errorf("--digest has %d hex digits; give %d at least, as ascend review shows them", len(digits), leastDigits)
	default:
		return nil
	}
}

// refuseDigest refuses a request that is not the one the operator judged, or not
// the one that --digest names. A denial needs no certainty about what is denied,
// but holds to --digest likewise.
func (j *judge) refuseDigest(action *v1alpha1.AgentAction) string {
	digest, err := request.Digest(&action.Spec)
	switch {
	case j.verdict == v1alpha1.VerdictDeny && j.digest == "":
		return ""
	case err != nil:
		return "its request cannot be read: " + terminal.Safe(err.Error())
	case !strings.HasPrefix(strings.TrimPrefix(digest, digestPrefix), strings.TrimPrefix(strings.ToLower(j.digest), digestPrefix)):
		return fmt.Sprintf("it is not the request you named: its digest is %s, not %s\nLook at it: ascend review %s -n %s",
			digest, terminal.Safe(j.digest), terminal.ShellWord(action.Name), terminal.ShellWord(action.Namespace))
	case digest != action.Status.SpecDigest && j.verdict != v1alpha1.VerdictDeny:
		return fmt.Sprintf("its status speaks of another request: status.specDigest is %s, that of the request %s\n"+
			"Either somebody else than the operator wrote the status, or ascend is another version than the operator. Look at it: ascend review %s -n %s",
			terminal.Safe(action.Status.SpecDigest), digest, terminal.ShellWord(action.Name), terminal.ShellWord(action.Namespace))
	default:
		return ""
	}
}
