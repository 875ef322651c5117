// SPDX-License-Identifier: Apache-2.0

// Package approval says whether the people who have to agree have agreed:
// stages, quorum, separation of duties, deadlines, escalation and break-glass.
//
// ApprovalWorkflows are compiled once (Compile), the ones that an action has to
// pass make a Chain (NewChain), and Chain.Evaluate replays the verdicts given so
// far on a timeline and says where the chain stands. Nothing here reads a clock
// or does I/O: same input, same State.
//
// # What counts
//
// A verdict counts only if it was given by somebody named in the stage (or in
// its escalation, once that has happened), who is not the requester, a subject
// or the owner of the agent, for this very request (specDigest) under these very
// workflows (workflowRevision), after the stage began and before its deadline.
// Who does not count is listed with a reason in status.approval.uncounted.
//
// What decides about the timeline is the time stamped into a verdict, never the
// time of the evaluation: a verdict given in time counts however late it is
// evaluated, and the passing of time alone approves nothing.
//
// # In doubt
//
// Names are compared folded where that bars somebody or keeps somebody from
// counting twice, and exactly where it makes somebody eligible. A workflow that
// cannot be read asks a human; one that does not exist asks one person who holds
// the verb approve on its name. No word for a timeout that is not known is
// taken for anything but Denied.
package approval
