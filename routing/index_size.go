package routing

import "slices"

// maxRows bounds the trace of a plan. Hand-made policies stay far below: a hundred rows need five numbers that all hand
// calls on. Without the bound, a policy that repeats its forwarding step multiplies with every number on the way.
const maxRows = 5000

// checkSizes refuses numbers whose plan could grow past maxRows.
func (c *compiler) checkSizes() {
	for _, n := range c.numbers {
		p := planSize{c: c}
		if rows := p.of(n, 0); rows > maxRows {
			c.problem("number %s: its plan could have more than %d steps, by the numbers that it hands calls on to; repeat fewer steps in policy %s",
				n.Number.Number, maxRows, n.PolicyName())
		}
	}
}

// planSize counts the rows that a plan can have at most.
type planSize struct {
	c       *compiler
	path    [maxDepth + 1]*Number
	visited int // bounds the counting itself
}

// of a number's plan, as part of another plan at this depth. It stops counting when there are too many.
func (p *planSize) of(n *Number, depth int) int {
	policy := p.c.policies[n.PolicyName()]
	if policy == nil {
		return 0
	}
	p.path[depth] = n
	rows := len(policy.Steps)
	for _, step := range policy.Steps {
		if p.visited++; p.visited > maxRows*100 || rows > maxRows {
			return maxRows + 1
		}
		switch step.Step {
		case StepForwarding:
			rows += p.line(n.forwardTo, depth)
		case StepCompanyPhone:
			rows += p.line(p.c.company.Phone, depth)
		case StepUnknownRules:
			rows += p.rule(n, depth)
		}
	}
	return rows
}

// rule is the longest plan that one of a number's rules leads to: one is active at a time.
func (p *planSize) rule(n *Number, depth int) int {
	longest := 0
	if n.defaultRule != nil {
		longest = p.line(n.defaultRule.another, depth)
	}
	for _, r := range n.rules {
		longest = max(longest, p.line(r.another, depth))
	}
	return longest
}

func (p *planSize) line(e164 string, depth int) int {
	inner := p.c.byNumber[e164]
	if inner == nil || depth == maxDepth || slices.Contains(p.path[:depth+1], inner) {
		return 0
	}
	return p.of(inner, depth+1)
}
