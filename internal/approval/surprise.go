// SPDX-License-Identifier: Apache-2.0

package approval

import (
	"math/bits"
	"slices"
	"strings"

	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"k8s.io/apiserver/pkg/authentication/user"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// Shortage is a set of stages that nobody can pass, for they ask for more
// people than they name.
type Shortage struct {
	// Stages by name; one that is v1alpha1.OverrideStage is the emergency override.
	Stages []string
	// Required is how many different people they ask for.
	Required int
	// Named is how many different people they name.
	Named int
}

// Shortage returns the smallest set of stages that can certainly not be passed,
// and false where there is none. Groups may have any number of members, so a
// stage that names one is never short; nor is one whose escalation does.
// Somebody who is named twice, as a user and as a ServiceAccount, is one
// person. Where people count only once in a workflow, stages are short together
// if they name fewer than all of them require. Source: Hall's theorem.
func (w *Workflow) Shortage() (Shortage, bool) {
	closed := w.closedStages()
	best, found := Shortage{}, false
	for set := uint(1); set < 1<<len(closed); set++ {
		if bits.OnesCount(set) > 1 && !w.distinct {
			continue
		}
		short := shortageOf(closed, set)
		if short.Named < short.Required && (!found || len(short.Stages) < len(best.Stages)) {
			best, found = short, true
		}
	}
	if over := w.override; !found && over != nil {
		if people, isClosed := people(over.approvers); isClosed && len(people) < over.required {
			return Shortage{[]string{v1alpha1.OverrideStage}, over.required, len(people)}, true
		}
	}
	return best, found
}

// closedStage is a stage that names every person who could pass it.
type closedStage struct {
	name     string
	required int
	people   map[string]bool
}

func (w *Workflow) closedStages() []closedStage {
	var out []closedStage
	for i := range w.stages[:min(len(w.stages), maxStages)] {
		s := &w.stages[i]
		all := s.approvers
		if s.escalation != nil {
			all = all.with(s.escalation.approvers)
		}
		if people, isClosed := people(all); isClosed {
			out = append(out, closedStage{s.name, s.required, people})
		}
	}
	return out
}

// people are those a circle names; false where it is open.
func people(of circle) (names map[string]bool, isClosed bool) {
	names = make(map[string]bool, len(of.members))
	for _, m := range of.members {
		if m.open() {
			return nil, false
		}
		names[m.username] = true
	}
	return names, true
}

func shortageOf(closed []closedStage, set uint) Shortage {
	var out Shortage
	union := map[string]bool{}
	for i := range closed {
		if set&(1<<i) == 0 {
			continue
		}
		out.Stages = append(out.Stages, closed[i].name)
		out.Required += closed[i].required
		for name := range closed[i].people {
			union[name] = true
		}
	}
	out.Named = len(union)
	return out
}

// NeverChosen says why the workflow's selector can certainly cover no action;
// empty where it may, and where there is no selector.
func (w *Workflow) NeverChosen() string {
	s := w.selector
	if s == nil || s.unreadable {
		return ""
	}
	if len(s.levels) > 0 && !slices.ContainsFunc(s.levels, s.reaches) {
		return "no score between minRiskScore and maxRiskScore has one of the riskLevels"
	}
	if why := s.actionTypes.WhyNoActionType(); why != "" {
		return "none of its actionTypes can match: " + why
	}
	if why := s.agents.Names().WhyNoAgent(); why != "" {
		return "none of its agents.names can match: " + why
	}
	return ""
}

// reaches says whether a score within the bounds has that level.
func (s *selector) reaches(level v1alpha1.RiskLevel) bool {
	for score := s.minimum; score <= s.maximum; score++ {
		if score.Level() == level {
			return true
		}
	}
	return false
}

// comparisons bounds how many patterns are compared in search of an overlap, so
// that no set of workflows takes more than a moment.
const comparisons = 1 << 18

// Overlapping returns the first workflow of the set, by its key, that is chosen
// beside the receiver for some action; nil where none is found. They have the
// same priority, both have a selector, and part by part one selector contains
// the other. Two that both approve by themselves get in nobody's way.
func (w *Workflow) Overlapping(set *Set) *Workflow {
	if set == nil || w.selector == nil || w.NeverChosen() != "" {
		return nil
	}
	left := comparisons
	for _, other := range set.chosen {
		if other.key == w.key || other.spec.Priority != w.spec.Priority || other.autoApprove && w.autoApprove {
			continue
		}
		if left -= w.selector.effort(other.selector); left < 0 {
			return nil
		}
		if w.selector.overlaps(other.selector) && other.NeverChosen() == "" {
			return other
		}
	}
	return nil
}

func (s *selector) effort(other *selector) int {
	return 1 + s.actionTypes.Effort(other.actionTypes) + other.actionTypes.Effort(s.actionTypes) +
		s.agents.Names().Effort(other.agents.Names()) + other.agents.Names().Effort(s.agents.Names())
}

func (s *selector) overlaps(other *selector) bool {
	return !s.unreadable && !other.unreadable && s.sharesScore(other) &&
		(len(s.environments) == 0 || len(other.environments) == 0 || slices.ContainsFunc(s.environments, other.hasPlace)) &&
		(s.actionTypes.Contains(other.actionTypes) || other.actionTypes.Contains(s.actionTypes)) &&
		(s.agents.Contains(other.agents) || other.agents.Contains(s.agents))
}

func (s *selector) hasPlace(word string) bool { return slices.Contains(s.environments, word) }

// sharesScore says whether some score is covered by both.
func (s *selector) sharesScore(other *selector) bool {
	for score := risk.MinScore; score <= risk.MaxScore; score++ {
		if s.coversScore(score) && other.coversScore(score) {
			return true
		}
	}
	return false
}

func (s *selector) coversScore(score risk.Score) bool {
	return score >= s.minimum && score <= s.maximum && (len(s.levels) == 0 || slices.Contains(s.levels, score.Level()))
}

// Crowd says whom a user or group name stands for beyond one person or a group
// that somebody keeps: everybody who is logged in, for example. Empty for all
// other names. Source: k8s.io/apiserver/pkg/authentication/user.
func Crowd(group string) string {
	switch {
	case group == user.AllAuthenticated:
		return "everybody who can log in, agents among them"
	case group == user.AllUnauthenticated || group == user.Anonymous:
		return "whoever has not logged in"
	case group == user.SystemPrivilegedGroup:
		return "those whom no RBAC holds back"
	case group == serviceaccount.AllServiceAccountsGroup:
		return "every ServiceAccount of the cluster, agents among them"
	case strings.HasPrefix(group, serviceaccount.ServiceAccountGroupPrefix):
		return "every ServiceAccount of namespace " + strings.TrimPrefix(group, serviceaccount.ServiceAccountGroupPrefix)
	default:
		return ""
	}
}

// NoServiceAccount says whether a user name looks like that of a ServiceAccount
// and can be none, so that nobody ever has it.
func NoServiceAccount(username string) bool {
	account, looks := strings.CutPrefix(username, serviceaccount.ServiceAccountUsernamePrefix)
	namespace, name, complete := strings.Cut(account, ":")
	return looks && (!complete || namespace == "" || name == "" || strings.Contains(name, ":"))
}
