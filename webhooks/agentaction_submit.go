// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"

	"gomodules.xyz/jsonpatch/v2"
	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/decision"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/seal"
)

const (
	// maxObject bounds the whole object as the API server sends it, with its
	// metadata. parameters and context alone may have 64 KiB each; the rest is
	// room for what the API server itself notes about their fields.
	maxObject = 512 << 10
	// The bounds of spec.requester in the schema.
	maxUsername = 256
	maxUID      = 128
	maxGroups   = 128
)

// submit judges a new action: whether this user may ask for this in the name of
// this agent, now. It stamps who asks.
func (h *actionHandler) submit(ctx context.Context, req *admission.Request, action *v1alpha1.AgentAction) (*answer, error) {
	if err := wellFormed(req, action); err != nil {
		return nil, err
	}
	ring := h.options.Ring()
	if ring == nil {
		return nil, notReady("the operator has no key to seal requests with yet; try again in a moment")
	}
	now := h.options.Clock.Now()
	requester, err := requesterOf(&req.UserInfo, now)
	if err != nil {
		return nil, err
	}
	asked, err := request.Read(action, requester, nil)
	if err != nil {
		return nil, unreadable(err)
	}
	agent, err := h.agentFor(ctx, req, asked)
	if err != nil {
		return nil, err
	}
	name, patch := nameFor(action)
	if err := h.withinRate(req, agent, name, now); err != nil {
		return nil, err
	}
	sealed, err := ring.SealSubmission(seal.Submission{
		Namespace: req.Namespace, Name: name, Digest: asked.Digest, Requester: requester,
	})
	if err != nil {
		return nil, fmt.Errorf("seal the requester: %w", err)
	}
	requester.Seal = stampOf(req, sealed)
	let := &answer{
		patch:       append(patch, jsonpatch.NewOperation("add", "/spec/requester", requester)),
		annotations: map[string]string{"requester": requester.Username, "agent": asked.Agent, "specDigest": asked.Digest},
	}
	if claimed := action.Spec.Requester; claimed != nil && claimed.Username != requester.Username {
		let.warnings = []string{fmt.Sprintf("spec.requester is written by the operator: you are %s", shown(requester.Username))}
	}
	return let, nil
}

// wellFormed refuses what the schema would refuse later, so that there is a
// record of the attempt, and what would be too large to decide about.
func wellFormed(req *admission.Request, action *v1alpha1.AgentAction) error {
	switch {
	case len(req.Object.Raw) > maxObject:
		return invalid("metadata", "the object has %d bytes with its metadata, the limit is %d (512 KiB); submit a reference to the data in its place",
			len(req.Object.Raw), maxObject)
	case len(validation.IsDNS1123Subdomain(string(action.Spec.AgentRef.Name))) > 0:
		return invalid("spec.agentRef.name", "%s is the name of no agent; those that there are: kubectl get agents -n %s",
			shown(string(action.Spec.AgentRef.Name)), req.Namespace)
	case len(action.Spec.Approvals) > 0:
		return invalid("spec.approvals", "an action cannot be submitted with approvals; approvers give them once it is pending: kubectl approve NAME -n %s", req.Namespace)
	case action.Spec.Cancelled:
		return invalid("spec.cancelled", "an action cannot be submitted as cancelled; leave it out, and submit: kubectl create -f FILE. "+
			"To withdraw it later:\n  kubectl patch agentaction NAME -n %s --type=merge -p '{\"spec\":{\"cancelled\":true}}'", req.Namespace)
	case action.Spec.Outcome != nil:
		return invalid("spec.outcome", "an outcome can be reported only after the action was approved; leave it out, and submit: kubectl create -f FILE. "+
			"To report it then:\n  kubectl patch agentaction NAME -n %s --type=merge -p '{\"spec\":{\"outcome\":{\"result\":\"Succeeded\"}}}'", req.Namespace)
	case len(action.OwnerReferences) > 0:
		return invalid("metadata.ownerReferences", "an action belongs to nobody, so that nothing can take it away; name what it is for in spec.context")
	case len(action.Finalizers) > 0:
		return invalid("metadata.finalizers", "an action has none; leave them out")
	default:
		return ownNotice(nil, action)
	}
}

// requesterOf is who asks, as the API server knows them. One that does not fit
// into the stamp is refused, for a part of somebody's groups is not who they are.
func requesterOf(user *authenticationv1.UserInfo, now time.Time) (v1alpha1.Requester, error) {
	tooLong := func(what string, limit int) error {
		return forbidden(v1alpha1.ReasonInvalidRequest,
			"%s cannot submit actions: %s is over the limit of %d that spec.requester keeps; submit as a ServiceAccount of the agent's own", shown(user.Username), what, limit)
	}
	switch {
	case utf8.RuneCountInString(user.Username) > maxUsername:
		return v1alpha1.Requester{}, tooLong("the user name", maxUsername)
	case utf8.RuneCountInString(user.UID) > maxUID:
		return v1alpha1.Requester{}, tooLong("the uid", maxUID)
	case len(user.Groups) > maxGroups:
		return v1alpha1.Requester{}, tooLong(fmt.Sprintf("the number of groups, %d,", len(user.Groups)), maxGroups)
	}
	at := microTime(now)
	requester := v1alpha1.Requester{Username: user.Username, UID: user.UID, AdmittedAt: &at}
	for _, group := range user.Groups {
		if group == "" || utf8.RuneCountInString(group) > maxUsername {
			return v1alpha1.Requester{}, tooLong("the name of a group", maxUsername)
		}
		requester.Groups = append(requester.Groups, v1alpha1.UserName(group))
	}
	return requester, nil
}

// agentFor is the agent in whose name the action is submitted. It refuses
// whoever is no subject of it, and what it may not ask for. What the cache says
// no to is asked of the API server itself: an agent created or changed a moment
// ago may not have arrived.
func (h *actionHandler) agentFor(ctx context.Context, req *admission.Request, asked *request.Request) (*v1alpha1.Agent, error) {
	if agent := h.options.Policy.Snapshot().Agent(req.Namespace, asked.Agent); agent != nil && checkAgent(agent, asked) == nil {
		return agent.Object(), nil
	}
	live := &v1alpha1.Agent{}
	err := h.options.Live.Get(ctx, types.NamespacedName{Namespace: req.Namespace, Name: asked.Agent}, live)
	switch {
	case apierrors.IsNotFound(err):
		return nil, &refusal{
			code: http.StatusUnprocessableEntity, status: metav1.StatusReasonInvalid, why: v1alpha1.ReasonAgentNotFound, field: "spec.agentRef.name",
			message: fmt.Sprintf("spec.agentRef.name: there is no agent %q in namespace %q; whoever manages agents can create it, with you among its spec.subjects: kubectl get agents -n %s",
				asked.Agent, req.Namespace, req.Namespace),
		}
	case err != nil:
		return nil, notReady("agent %s cannot be read now: %v; try again", asked.Agent, err)
	}
	return live, checkAgent(decision.NewAgent(live), asked)
}

func checkAgent(agent *decision.Agent, asked *request.Request) error {
	object := agent.Object()
	why, message, refused := agent.Refuses(asked)
	switch {
	case !refused:
		return nil
	case why == v1alpha1.ReasonNotASubject:
		return forbidden(why, "%s may not submit actions in the name of agent %s; its spec.subjects may. Whoever manages the agent can add you:\n"+
			"  kubectl edit agent %s -n %s   # spec.subjects: %s",
			shown(asked.Requester.Username), object.Name, object.Name, object.Namespace, subjectEntry(asked.Requester.Username))
	default:
		return forbidden(why, "%s. Whoever manages the agent can change it:\n  kubectl edit agent %s -n %s", message, object.Name, object.Namespace)
	}
}

// withinRate refuses what comes too fast. It is the last question, for to ask
// it is to count. A dry run submits nothing.
func (h *actionHandler) withinRate(req *admission.Request, agent *v1alpha1.Agent, name string, now time.Time) error {
	if dryRun(req) {
		return nil
	}
	key := types.NamespacedName{Namespace: agent.Namespace, Name: agent.Name}
	h.options.Limiter.Seed(key, agent.Status.Submissions, now)
	over, ok := h.options.Limiter.Admit(key, name, agent.Spec.RateLimit, now)
	if ok {
		return nil
	}
	return &refusal{
		code: http.StatusTooManyRequests, status: metav1.StatusReasonTooManyRequests, why: whyRateLimited, retryAfter: over.RetryAfter,
		message: fmt.Sprintf("agent %s has submitted the %d actions that its %s allows; try again in %s, or ask whoever manages the agent to raise the limit: kubectl edit agent %s -n %s",
			agent.Name, over.Limit, over.Field(), over.RetryAfter.Round(time.Second), agent.Name, agent.Namespace),
	}
}

// nameFor is the name of a new action, and the patch that gives it one: the
// seal is bound to the name, and the API server makes up names only later.
func nameFor(action *v1alpha1.AgentAction) (name string, patch []jsonpatch.JsonPatchOperation) {
	if action.Name != "" || action.GenerateName == "" {
		return action.Name, nil
	}
	name = generateName(action.GenerateName)
	return name, []jsonpatch.JsonPatchOperation{jsonpatch.NewOperation("add", "/metadata/name", name)}
}

const (
	// suffixLength letters of nameLetters make 2e14 names, so that a million
	// actions of one prefix meet with a probability of 0.2 %. The API server
	// does not try again with a name that it has not made.
	suffixLength = 10
	// nameLetters are those the API server uses: no vowels, no words.
	nameLetters = "bcdfghjklmnpqrstvwxz2456789"
	maxName     = 253
)

func generateName(prefix string) string {
	prefix = prefix[:min(len(prefix), maxName-suffixLength)]
	suffix := make([]byte, 0, suffixLength)
	random := make([]byte, 2*suffixLength)
	for len(suffix) < suffixLength {
		_, _ = rand.Read(random) // never fails; source: crypto/rand
		for _, b := range random {
			if int(b) < 256/len(nameLetters)*len(nameLetters) && len(suffix) < suffixLength {
				suffix = append(suffix, nameLetters[int(b)%len(nameLetters)])
			}
		}
	}
	return prefix + string(suffix)
}

// microTime has the precision that the API keeps.
func microTime(t time.Time) metav1.MicroTime {
	return metav1.NewMicroTime(t.UTC().Truncate(time.Microsecond))
}
