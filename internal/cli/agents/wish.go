// SPDX-License-Identifier: Apache-2.0

package agents

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// wish is what flags say about an agent. What no flag says is left as it is.
type wish struct {
	agentType, environment, owner, displayName, maxRisk, workflow string
	allowTypes, allowResources, blockResources, rates             []string

	// given are the changes of the flags that were used.
	given []func(*v1alpha1.AgentSpec)
}

var agentTypes = []string{
	string(v1alpha1.AgentTypeAutonomous), string(v1alpha1.AgentTypeSupervised), string(v1alpha1.AgentTypeAdvisory),
	string(v1alpha1.AgentTypeMCPServer), string(v1alpha1.AgentTypeCustom),
}

func (w *wish) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&w.agentType, "type", "", "kind of agent, for reports: "+strings.Join(agentTypes, ", ")+" (default Autonomous)")
	f.StringVar(&w.environment, "environment", "", "where it works: production, staging, development, test, sandbox (default production)")
	f.StringVar(&w.owner, "owner", "", "`user` who answers for the agent, and may not approve its actions")
	f.StringVar(&w.displayName, "display-name", "", "name for people")
	f.StringArrayVar(&w.allowTypes, "allow-type", nil, "action types it may ask for, as a `glob`; may be repeated (default all)")
	f.StringArrayVar(&w.allowResources, "allow-resource", nil, "resources it may name, as a `glob`; may be repeated (default all)")
	f.StringArrayVar(&w.blockResources, "block-resource", nil, "resources it may never name, as a `glob`; may be repeated")
	f.StringVar(&w.maxRisk, "max-risk", "", "highest `score` that can be approved, from 0.0 to 10.0 (default 10.0)")
	f.StringArrayVar(&w.rates, "rate", nil, "at most so many actions, as `N/minute`, N/hour or N/day; may be repeated")
	f.StringVar(&w.workflow, "workflow", "", "ApprovalWorkflow of the namespace for all its actions, in place of the choice by risk")
	for flag, words := range map[string][]string{
		"type":        agentTypes,
		"environment": {"production", "staging", "development", "test", "sandbox"},
	} {
		if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
			panic(err) // the flags were added above
		}
	}
}

// read turns the flags that were used into changes. What the values may be is
// for the API server to say, but for what could not be written at all.
func (w *wish) read(cmd *cobra.Command) error {
	w.given = nil
	text := func(flag string, set func(*v1alpha1.AgentSpec)) {
		if cmd.Flags().Changed(flag) {
			w.given = append(w.given, set)
		}
	}
	text("type", func(s *v1alpha1.AgentSpec) { s.Type = v1alpha1.AgentType(w.agentType) })
	text("environment", func(s *v1alpha1.AgentSpec) { s.Environment = v1alpha1.Environment(w.environment) })
	text("owner", func(s *v1alpha1.AgentSpec) { s.Owner = w.owner })
	text("display-name", func(s *v1alpha1.AgentSpec) { s.DisplayName = w.displayName })
	text("max-risk", func(s *v1alpha1.AgentSpec) { s.MaxRiskScore = v1alpha1.Score(w.maxRisk) })
	text("allow-type", func(s *v1alpha1.AgentSpec) { s.AllowedActionTypes = globs(w.allowTypes) })
	text("allow-resource", func(s *v1alpha1.AgentSpec) { s.AllowedResources = globs(w.allowResources) })
	text("block-resource", func(s *v1alpha1.AgentSpec) { s.BlockedResources = globs(w.blockResources) })
	text("workflow", func(s *v1alpha1.AgentSpec) {
		s.WorkflowRef = &v1alpha1.WorkflowReference{Name: v1alpha1.ObjectName(w.workflow)}
	})
	for _, rate := range w.rates {
		set, err := parseRate(rate)
		if err != nil {
			return session.Usagef(cmd, "--rate: %w", err)
		}
		w.given = append(w.given, set)
	}
	return nil
}

// apply writes what the flags say into a spec.
func (w *wish) apply(spec *v1alpha1.AgentSpec) {
	for _, set := range w.given {
		set(spec)
	}
}

func globs(texts []string) []v1alpha1.Glob {
	patterns := make([]v1alpha1.Glob, len(texts))
	for i, text := range texts {
		patterns[i] = v1alpha1.Glob(text)
	}
	return patterns
}

// parseRate reads N/minute, N/hour or N/day.
func parseRate(text string) (func(*v1alpha1.AgentSpec), error) {
	number, unit, _ := strings.Cut(text, "/")
	n, err := strconv.ParseInt(number, 10, 32)
	if err != nil || n < 0 {
		return nil, fmt.Errorf("%q is not a rate, such as 100/minute", terminal.Safe(text))
	}
	limit := int32(n)
	field := func(rates *v1alpha1.RateLimit) **int32 { return nil }
	switch unit {
	case "minute", "min", "m":
		field = func(rates *v1alpha1.RateLimit) **int32 { return &rates.PerMinute }
	case "hour", "h":
		field = func(rates *v1alpha1.RateLimit) **int32 { return &rates.PerHour }
	case "day", "d":
		field = func(rates *v1alpha1.RateLimit) **int32 { return &rates.PerDay }
	default:
		return nil, fmt.Errorf("%q is not a rate: it is counted by minute, hour or day, such as 100/minute", terminal.Safe(text))
	}
	return func(spec *v1alpha1.AgentSpec) {
		if spec.RateLimit == nil {
			spec.RateLimit = &v1alpha1.RateLimit{}
		}
		*field(spec.RateLimit) = &limit
	}, nil
}
