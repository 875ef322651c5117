// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/request"
)

// SubmissionAnnotation of an AgentAction holds a random id of the call that made
// it, so that a call whose answer was lost knows its own action again.
const SubmissionAnnotation = "governance.ascendowkai.com/submission"

// Action is what an agent wants to do.
type Action struct {
	// Type says what kind of thing is to be done, such as database_read or
	// financial.transfer: lower-case letters, digits and _ . : / - up to 128. Required.
	Type string
	// Description for the people who decide, up to 4,096 characters.
	Description string
	// Resource to act on, up to 1,024 characters. Left out, rules look at
	// parameters table, resource, path and url.
	Resource string
	// Parameters of the action: anything that encoding/json makes an object of,
	// up to 64 KiB, nested up to 32 levels. nil: none.
	Parameters any
	// Context for rules and people, such as a ticket; as Parameters.
	Context any
	// Exception asks people to except the action from a rule that denies it.
	Exception *v1alpha1.ExceptionRequest
	// IdempotencyKey makes calls with the same key, namespace and agent mean one
	// action, for as long as that is kept: see TTLAfterDecision. Empty: each call
	// is a new one.
	IdempotencyKey string
	// TTLAfterDecision is how long the action is kept after its decision, up to
	// 8,760 h. 0: 720 h.
	TTLAfterDecision time.Duration
}

// The limits of the schema, in characters.
const (
	maxDescription   = 4096
	maxResource      = 1024
	maxJustification = 2048
	maxTTL           = 8760 * time.Hour
)

var actionType = regexp.MustCompile(`^[a-z0-9]([a-z0-9_.:/-]{0,126}[a-z0-9])?$`)

// invalidf names the field that is wrong.
func invalidf(field, help, format string, args ...any) *ValidationError {
	return &ValidationError{Problem: Problem{Message: field + ": " + fmt.Sprintf(format, args...), Help: help}, Field: field}
}

// object is the AgentAction that an action of an agent becomes, without a name,
// and the digest that the operator will find. It fails with a *ValidationError.
func (a *Action) object(namespace, agent string) (*v1alpha1.AgentAction, string, error) {
	if err := a.check(agent); err != nil {
		return nil, "", err
	}
	action := &v1alpha1.AgentAction{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "AgentAction"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace},
	}
	spec := &action.Spec
	spec.AgentRef.Name = v1alpha1.ObjectName(agent)
	spec.ActionType, spec.Description, spec.Resource = a.Type, a.Description, a.Resource
	if a.Exception != nil {
		spec.ExceptionRequest = a.Exception.DeepCopy()
	}
	if a.TTLAfterDecision > 0 {
		spec.TTLAfterDecision = &metav1.Duration{Duration: a.TTLAfterDecision}
	}
	var err error
	if spec.Parameters, err = rawObject("Action.Parameters", a.Parameters); err != nil {
		return nil, "", err
	}
	if spec.Context, err = rawObject("Action.Context", a.Context); err != nil {
		return nil, "", err
	}
	read, err := request.Read(action, v1alpha1.Requester{}, nil)
	if no := (*request.InvalidError)(nil); errors.As(err, &no) {
		return nil, "", &ValidationError{Problem: Problem{Message: no.Field + " " + no.Problem, Help: no.Help}, Field: no.Field}
	}
	if err != nil {
		return nil, "", invalidf("Action", "", "%v", err)
	}
	return action, read.Digest, nil
}

// check holds an action to the limits of the schema that request.Read does not know.
func (a *Action) check(agent string) error {
	switch {
	case agent == "":
		return invalidf("Options.Agent", "Name the Agent in whose name actions are submitted, in Options.Agent or ASCEND_AGENT_ID.", "is empty")
	case len(validation.IsDNS1123Subdomain(agent)) > 0:
		return invalidf("Options.Agent", "Those that there are: kubectl get agents", "%q is the name of no Agent", agent)
	case !actionType.MatchString(a.Type):
		return invalidf("Action.Type", "Such as database_read or financial.transfer.", "%q has to be 1 to 128 lower-case letters, digits and _ . : / -, and begin and end with a letter or digit", a.Type)
	case a.TTLAfterDecision < 0 || a.TTLAfterDecision > maxTTL:
		return invalidf("Action.TTLAfterDecision", "", "%s has to be from 0 to %s", a.TTLAfterDecision, maxTTL)
	}
	for _, text := range []struct {
		field, value string
		limit        int
	}{{"Action.Description", a.Description, maxDescription}, {"Action.Resource", a.Resource, maxResource}} {
		if err := checkText(text.field, text.value, text.limit); err != nil {
			return err
		}
	}
	if a.Exception == nil {
		return nil
	}
	if a.Exception.RuleName == "" || a.Exception.Justification == "" {
		return invalidf("Action.Exception", "Name the rule that denies it, and say why it should not.", "needs RuleName and Justification")
	}
	return checkText("Action.Exception.Justification", a.Exception.Justification, maxJustification)
}

func checkText(field, value string, limit int) error {
	switch n := utf8.RuneCountInString(value); {
	case !utf8.ValidString(value):
		return invalidf(field, "", "is not valid UTF-8")
	case n > limit:
		return invalidf(field, "Say where the rest can be found.", "has %d characters, the limit is %d", n, limit)
	default:
		return nil
	}
}

// rawObject is a value as a JSON object; nil for nil, and for what marshals to null.
func rawObject(field string, value any) (*runtime.RawExtension, error) {
	if value == nil {
		return nil, nil //nolint:nilnil // left out is a valid value
	}
	data, err := json.Marshal(value)
	switch {
	case err != nil:
		return nil, invalidf(field, "Give what encoding/json can write.", "%v", err)
	case bytes.Equal(data, []byte("null")):
		return nil, nil //nolint:nilnil // a nil map, for example
	case data[0] != '{':
		return nil, invalidf(field, `Give a map or a struct.`, "has to be a JSON object")
	}
	return &runtime.RawExtension{Raw: data}, nil
}

// actionName is the name of the action that a key stands for: "act-" and 26
// characters of base32hex, which are 130 bits of the SHA-256 over namespace,
// agent and key with a zero byte between each.
func actionName(namespace, agent, key string) string {
	sum := sha256.Sum256([]byte(namespace + "\x00" + agent + "\x00" + key))
	return "act-" + strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:]))[:26]
}

// randomKey stands for no other call.
func randomKey() string { return rand.Text() }
