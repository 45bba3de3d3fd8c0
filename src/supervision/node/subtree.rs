//! A supervisor as a child of another.

use std::sync::{Arc, PoisonError};

use arc_swap::ArcSwapOption;

use super::{Event, Life, Limit, Node, Parent, Seat, Start, Supervisor, Why, deliver};

/// Started from its plan, again and again.
pub(crate) struct StartSupervisor {
    pub(crate) plan: Supervisor,
    /// Where a dynamic supervisor can be reached by those who start its children.
    pub(crate) address: Option<Arc<ArcSwapOption<Node>>>,
}

impl Start for StartSupervisor {
    fn begin(&self, seat: Seat, limit: Option<Limit>) -> Box<dyn Life> {
        let kernel = Arc::clone(seat.node.kernel());
        let path = Arc::clone(&seat.path);
        let limit = limit.unwrap_or(self.plan.limit);
        let node = Node::new(&kernel, path, self.plan.clone(), limit, Parent::Seat(seat));
        if let Some(address) = &self.address {
            address.store(Some(Arc::clone(&node)));
        }
        deliver(&node, Event::Start);
        Box::new(SupervisorLife {
            node,
            address: self.address.clone(),
        })
    }
}

struct SupervisorLife {
    node: Arc<Node>,
    address: Option<Arc<ArcSwapOption<Node>>>,
}

impl Life for SupervisorLife {
    fn halt(&mut self, why: Why) {
        deliver(&self.node, Event::Stop(why));
    }

    fn kill(&mut self) {
        deliver(&self.node, Event::Kill);
    }
}

impl Drop for SupervisorLife {
    fn drop(&mut self) {
        if let Some(address) = &self.address {
            let current = address.load();
            if current
                .as_ref()
                .is_some_and(|current| Arc::ptr_eq(current, &self.node))
            {
                address.compare_and_swap(&current, None);
            }
        }
        let mut nodes = self
            .node
            .kernel
            .nodes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if nodes
            .get(&self.node.path)
            .is_some_and(|known| std::ptr::eq(known.as_ptr(), Arc::as_ptr(&self.node)))
        {
            nodes.remove(&self.node.path);
        }
        drop(nodes);
        deliver(&self.node, Event::Kill);
    }
}
