// SPDX-License-Identifier: Apache-2.0

package lint

// Code is the kind of a finding. Codes do not change their meaning.
type Code string

// What one object shows by itself, or together with what it refers to.
const (
	// Invalid is what admission refuses.
	Invalid Code = "Invalid"
	// MissingWorkflow is a reference to a workflow that does not exist.
	MissingWorkflow Code = "MissingWorkflow"
	// MissingAgent is a reference to an agent that does not exist.
	MissingAgent Code = "MissingAgent"
	// ApprovesItself is a workflow that asks nobody, named where somebody has to agree.
	ApprovesItself Code = "ApprovesItself"
	// Ended is a rule whose notAfter has passed.
	Ended Code = "Ended"
	// NeverTrue is a condition, or several together, that no action fulfills.
	NeverTrue Code = "NeverTrue"
	// NeverMatches is a pattern that no name can match.
	NeverMatches Code = "NeverMatches"
	// NoEffect is an effect that is none where it stands.
	NoEffect Code = "NoEffect"
	// Shadowed is a rule that decides nothing because of another.
	Shadowed Code = "Shadowed"
	// Shadows is a rule because of which others decide nothing. Only admission
	// says so; Set reports each such pair as Shadowed.
	Shadows Code = "Shadows"
	// NeverChosen is a selector through which its workflow is never chosen.
	NeverChosen Code = "NeverChosen"
	// Overlap is a workflow beside another of the same priority.
	Overlap Code = "Overlap"
	// Impossible is a stage that nobody can pass.
	Impossible Code = "Impossible"
	// TooLate is a time that comes after the end of its workflow.
	TooLate Code = "TooLate"
	// Crowd is a name that stands for more people than one might expect.
	Crowd Code = "Crowd"
	// Nobody is a name that nobody has.
	Nobody Code = "Nobody"
	// SelfApproval lets people approve what they asked for themselves.
	SelfApproval Code = "SelfApproval"
	// NoSubjects is an agent in whose name nobody may submit.
	NoSubjects Code = "NoSubjects"
	// NoOwner is an agent that nobody answers for.
	NoOwner Code = "NoOwner"
	// OwnerSubmits is an agent whose owner submits its actions.
	OwnerSubmits Code = "OwnerSubmits"
	// NoRate is a rate limit that refuses every action.
	NoRate Code = "NoRate"
	// Blocked is an allowed resource that is blocked as well.
	Blocked Code = "Blocked"
	// Unused is an object that nothing uses.
	Unused Code = "Unused"
	// RiskEntry is an entry of a risk model that does not do what it says.
	RiskEntry Code = "RiskEntry"
)

// What shows only where all policy is looked at together; only Set says so.
const (
	// NotCompiled is an object that the policy it is judged by does not have.
	NotCompiled Code = "NotCompiled"
	// Elsewhere is a missing workflow that exists where the reference does not reach.
	Elsewhere Code = "Elsewhere"
	// NoAgent is a rule, or a selector, for which there is no agent that could
	// ask for anything it covers.
	NoAgent Code = "NoAgent"
	// Redundant is a rule that asks for nothing that another does not ask for.
	Redundant Code = "Redundant"
	// Replaced is a global workflow in whose place namespaces choose their own.
	Replaced Code = "Replaced"
	// Gap is a range of scores for which no workflow is chosen.
	Gap Code = "Gap"
)
