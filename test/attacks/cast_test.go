// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// with is somebody of that name with one of the shipped roles in the scene.
func (s *scene) with(ctx context.Context, name, role string) person {
	GinkgoHelper()
	p := lab.user(name)
	s.grant(ctx, role, subjectOf(p))
	s.awaitRole(ctx, p, role)
	return p
}

// awaitRole waits until the API server knows that somebody has the shipped role
// in the scene, as awaitRight does.
func (s *scene) awaitRole(ctx context.Context, who person, role string) {
	GinkgoHelper()
	var granted rbacv1.ClusterRole
	Expect(lab.admin.Get(ctx, client.ObjectKey{Name: role}, &granted)).To(Succeed())
	known := 0
	for _, rule := range granted.Rules {
		if len(rule.ResourceNames) == 0 && slices.Contains(rule.APIGroups, v1alpha1.GroupVersion.Group) {
			s.awaitRight(ctx, who, rule.Resources[0], rule.Verbs[0])
			known++
		}
	}
	Expect(known).NotTo(BeZero(), "the role %s says nothing about this group", role)
}

// as is whom prepare has left under that name.
func (s *scene) as(name string) person {
	GinkgoHelper()
	return prepared[person](s, name)
}

// prepared is what prepare has left under that name.
func prepared[T any](s *scene, name string) T {
	GinkgoHelper()
	what, found := s.state[name].(T)
	Expect(found).To(BeTrue(), "nobody has prepared %s", name)
	return what
}

// allow grants somebody verbs on a resource of this group.
func (s *scene) allow(ctx context.Context, to person, resource string, verbs ...string) {
	GinkgoHelper()
	role := &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, GenerateName: "may-"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{resource}, Verbs: verbs}},
	}
	Expect(lab.admin.Create(ctx, role)).To(Succeed())
	Expect(lab.admin.Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects:   []rbacv1.Subject{subjectOf(to)},
	})).To(Succeed())
	for _, verb := range verbs {
		s.awaitRight(ctx, to, resource, verb)
	}
}

// awaitRight waits until the API server knows that somebody has a right: it hears
// of roles through a watch of its own.
func (s *scene) awaitRight(ctx context.Context, who person, resource, verb string) {
	GinkgoHelper()
	resource, part, _ := strings.Cut(resource, "/")
	Eventually(func(g Gomega) {
		review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: s.namespace, Group: v1alpha1.GroupVersion.Group, Resource: resource, Subresource: part, Verb: verb,
			}}}
		g.Expect(who.Create(ctx, review)).To(Succeed())
		g.Expect(review.Status.Allowed).To(BeTrue(), "%s may %s %s", who.name, verb, resource)
	}).WithContext(ctx).Should(Succeed())
}

func subjectOf(p person) rbacv1.Subject {
	if account, isAccount := strings.CutPrefix(p.name, "system:serviceaccount:"); isAccount {
		namespace, name, _ := strings.Cut(account, ":")
		return rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: name}
	}
	return rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: p.name}
}

// stampOf is a stamp in somebody's own name that looks like the operator's, but
// for the seal, which only the operator can make.
func stampOf(ctx context.Context, p person) *v1alpha1.Requester {
	GinkgoHelper()
	review := &authenticationv1.SelfSubjectReview{}
	Expect(p.Create(ctx, review)).To(Succeed())
	now := metav1.NewMicroTime(clock.RealClock{}.Now())
	stamp := &v1alpha1.Requester{
		Username: review.Status.UserInfo.Username, UID: review.Status.UserInfo.UID,
		AdmittedAt: &now, Seal: "v1.00000000." + strings.Repeat("A", 43),
	}
	for _, group := range review.Status.UserInfo.Groups {
		stamp.Groups = append(stamp.Groups, v1alpha1.UserName(group))
	}
	return stamp
}

// toJSON is a value as JSON text, which is YAML too.
func toJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // tables are made before there is a spec that could fail
	}
	return string(text)
}

// administrator is who prepares, as a person.
func (l *stack) administrator() person {
	return person{WithWatch: l.admin, config: l.config, name: "the administrator"}
}
