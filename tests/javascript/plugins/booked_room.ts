// The rule of plugins/booked-room in TypeScript.

import { model } from '@understudy/sdk';

interface Booking {
  readonly room: string;
}

function bookedRoom({ room }: Booking): string {
  return room;
}

export default model({
  reads: { room: { kind: 'text', name: 'reserved_room_type' } },
  answers: 'label',
  decide: (row) => bookedRoom(row),
});
